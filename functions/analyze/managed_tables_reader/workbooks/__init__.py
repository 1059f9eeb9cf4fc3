"""Read workbooks as sheets of text: XLSX, XLSB, XLS and ODS, and the HTML and SpreadsheetML sent as such.

`read_workbook` runs a reader in a child process with bounded memory and time, because uploaded
files have crashed parsers, exhausted memory and taken minutes.
"""

from managed_tables_reader.workbooks.opening import read_workbook

__all__ = ["read_workbook"]
