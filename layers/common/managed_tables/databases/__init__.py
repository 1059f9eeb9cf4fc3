"""The companies' PostgreSQL databases: how they are made, connected to, and what is applied in them."""
