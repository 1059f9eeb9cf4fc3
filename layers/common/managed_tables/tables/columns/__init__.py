"""Changes of a table's columns: planned, converted, applied and taken back."""
