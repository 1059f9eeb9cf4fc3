"""Read workbooks as sheets of text: XLSX, XLSB, XLS and ODS, and the HTML and SpreadsheetML sent as such.

`opening` runs a reader in a child process with bounded memory and time, because uploaded files have crashed
parsers, exhausted memory and taken minutes.
"""
