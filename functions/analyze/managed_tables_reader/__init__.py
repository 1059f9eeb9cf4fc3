"""Read files of every kind as tables of text: what the rows are, and how that was decided.

`reading_files.FileReader` is the door. Nothing here knows DuckDB, AWS or jobs: a table's rows are a text
(`Part`), its reading is data. This module imports nothing: each workbook starts a process that imports it.
"""
