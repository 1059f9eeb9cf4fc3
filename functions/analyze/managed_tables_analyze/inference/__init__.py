"""Infer a schema from the staged object: every row is judged, every judgement explained.

The first rows only propose types. Each proposal is then counted over all rows: a type that one cell
contradicts is dropped, and the next is counted. The rules of each type are those by which insert loads
(`managed_tables.conversion`).
"""
