"""The API described: how routes describe themselves, the OpenAPI document, its readable page."""
