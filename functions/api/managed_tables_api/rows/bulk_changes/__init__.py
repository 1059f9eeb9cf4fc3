"""Changes and deletions of many rows at once."""
