"""Staged object and confirmed schema in, rows of PostgreSQL out."""
