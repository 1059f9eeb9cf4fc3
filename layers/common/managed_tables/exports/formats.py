"""Name the kinds of file that an export can be, apart from what reads a request for one."""

from typing import Literal

ExportFormat = Literal["csv", "xlsx", "parquet", "jsonl"]
Dialect = Literal["rfc4180", "excel-br"]
