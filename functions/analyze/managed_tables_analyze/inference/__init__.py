"""Infer a schema from the staged object: every row is judged, every judgement explained.

The first rows only propose types. Each proposal is then counted over all rows: a type that one cell
contradicts is dropped, and the next is counted. The rules of each type are those by which insert loads
(`managed_tables.conversion`).
"""

from managed_tables_analyze.inference.display import propose_format
from managed_tables_analyze.inference.inferring import InferredColumn, Kept, infer_columns, named_column
from managed_tables_analyze.inference.profiles import Profile, find_medians, profile_columns
from managed_tables_analyze.inference.samples import convert_first_rows, read_sample_rows

__all__ = [
    "InferredColumn",
    "Kept",
    "Profile",
    "convert_first_rows",
    "find_medians",
    "infer_columns",
    "named_column",
    "profile_columns",
    "propose_format",
    "read_sample_rows",
]
