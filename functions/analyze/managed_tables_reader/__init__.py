"""Read files of every kind as tables of text: what the rows are, and how that was decided.

`reading_files.read` is the door. Nothing here knows DuckDB, AWS or jobs: a table's rows are a file of text
(`Part`), its reading is data. This module imports nothing: each workbook starts a process that imports it.
"""
