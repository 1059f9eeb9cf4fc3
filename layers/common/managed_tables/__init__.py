"""The vocabulary that every function of Managed Tables shares; it imports none of them."""

import gc

API_PREFIX = "/v1/managed-tables"  # of every route's path

# A start makes hundreds of thousands of objects that stay: to look for garbage after each 700 of them, as
# Python does by itself, is a tenth of its processor time.
gc.set_threshold(50_000)
