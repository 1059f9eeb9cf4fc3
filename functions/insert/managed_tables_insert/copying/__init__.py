"""Send rows to PostgreSQL's COPY: converted by DuckDB, encoded by numpy."""
