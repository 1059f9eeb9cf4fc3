"""Define a case: a file, and beside it what analyze must give for it.

The expectation (`<file>.json`) has `why`, and either `error` (the code of the refusal) or `columns`
(`name`, `type`, `nullable`, `display_name` where it is not the name) and `rows` (the cells' own text, null
for none); if the case is about them, also `values` (the same rows in the inferred types: numbers as
text, so that every digit counts), `lines`, `sheets`, `dialect`, `evidence` (words, by column) and `warnings`
(`CODE`, `CODE [lines]`, `(columns: a, b)` or words that must occur).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Rows = str | Sequence[Sequence[str | None]]


@dataclass
class Case:
    """One file and what is expected of it."""

    name: str
    """Folder and file name, such as `csv/tab.csv`."""
    content: bytes
    expectation: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write the file and its expectation."""
        path = folder / self.name
        path.write_bytes(self.content)
        text = json.dumps(self.expectation, ensure_ascii=False, indent=1)
        path.with_name(path.name + ".json").write_text(text + "\n", encoding="utf-8")


def case(
    name: str, content: bytes, why: str, columns: str = "", rows: Rows = "", *, error: str = "", **extra: Any
) -> Case:
    """Return a case: it is refused, or gives `name:type` columns and rows, in text a line each, cut at `|`.

    A type with `?` behind it has empty cells.
    """
    if error:
        return Case(name, content, {"why": why, "error": error, **extra})
    named = [column.rstrip("?").partition(":") for column in columns.split()]
    nullable = [column.endswith("?") for column in columns.split()]
    expected = [
        {"name": label, "type": kind, "nullable": is_nullable}
        for (label, _, kind), is_nullable in zip(named, nullable, strict=True)
    ]
    cells = [line.split("|") for line in rows.split("\n")] if isinstance(rows, str) else rows
    return Case(name, content, {"why": why, "columns": expected, "rows": cells, **extra})
