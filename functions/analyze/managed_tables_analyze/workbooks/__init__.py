"""Workbooks to sheets of text: XLSX and XLS, and the HTML and SpreadsheetML that pass for them.

`read_workbook` runs a reader in a child process with bounded memory and time, because what people upload
has ended parsers, filled memories and run for minutes.
"""

from managed_tables_analyze.workbooks.opening import read_workbook

__all__ = ["read_workbook"]
