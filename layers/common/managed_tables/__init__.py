"""The vocabulary that every function of Managed Tables shares; it imports none of them."""

API_PREFIX = "/v1/managed-tables"  # of every route's path
