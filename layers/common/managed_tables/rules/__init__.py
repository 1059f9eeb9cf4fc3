"""What is right: rules of a table's rows, each one value, and its SQL for DuckDB and for PostgreSQL."""
