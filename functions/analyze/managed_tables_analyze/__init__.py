"""Bytes in, staged object and inferred schema out; knows no AWS but S3."""
