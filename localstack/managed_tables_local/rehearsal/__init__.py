"""The runbooks of incidents, walked against a stack whose PostgreSQL asks for TLS."""
