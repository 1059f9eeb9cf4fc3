"""Saved views of a table's rows: filter, order, columns and totals under a name."""
