"""The OpenAPI document of the routes that run."""
