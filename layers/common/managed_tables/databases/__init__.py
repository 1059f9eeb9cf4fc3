"""Make the companies' PostgreSQL databases, connect to them, and record what was applied in them."""
