"""Rows of the companies' tables: exact JSON in, exact JSON out, one SQL statement an operation."""
