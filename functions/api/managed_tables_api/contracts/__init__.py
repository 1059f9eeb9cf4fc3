"""A table as an open data contract (Open Data Contract Standard, v3.1.0): written, and read again."""
