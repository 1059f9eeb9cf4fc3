"""The local stack: an emulator of AWS and a PostgreSQL server, both from PyPI, for one checkout."""
