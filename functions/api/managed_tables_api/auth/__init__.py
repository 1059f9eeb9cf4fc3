"""Authenticate callers: tokens, the keys that sign them, permissions."""
