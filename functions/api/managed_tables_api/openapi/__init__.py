"""The API described: the OpenAPI document of the routes that run, and its readable page."""
