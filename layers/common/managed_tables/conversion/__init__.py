"""Define which text each column type takes and what it becomes, as SQL text for DuckDB.

Analyze (which infers types) and insert (which loads them) build their queries from the same expressions,
so what was inferred is what loads. Nothing here passes through a float: a value goes from the file's
characters to PostgreSQL's input syntax as text. This package imports no DuckDB.

Two questions are kept apart. `converts`: does this text have a meaning under a type that a person chose
(`0` as boolean has)? `suggests`: is this text what the type is recognised by (`0` suggests an integer)?
"""
