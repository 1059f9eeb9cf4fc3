"""The one function that works as the PostgreSQL clusters' administrator."""
