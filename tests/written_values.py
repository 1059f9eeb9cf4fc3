"""The table of written values: a text, its type and formats, and what it becomes wherever it is read.

`written_values.json` is read by the tests of DuckDB's conversion, PostgreSQL's, the API's, the reader's looks
and the console's. A value is written as the API answers it; null is a text that does not convert, `empty` one
that is no value.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from managed_tables.conversion.columns import Formats
from managed_tables.schema import ColumnType

EMPTY = "empty"


class Written(NamedTuple):
    """Cells of one type under one set of formats, with their values."""

    type: ColumnType
    formats: Formats
    cells: dict[str, str | None]


_TABLE: list[dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
WRITTEN = [Written(ColumnType(one["type"]), Formats(**one["formats"]), one["cells"]) for one in _TABLE]
every_group = pytest.mark.parametrize(
    "written", WRITTEN, ids=["-".join((one["type"], *map(str, one["formats"].values()))) for one in _TABLE]
)
