"""Define a case: a file, and beside it what analyze must give for it.

The expectation (`<file>.json`) has `why`, and either `error` (the code of the refusal) or `columns`
(`name`, `type`, `nullable`, `display_name` where it is not the name) and `rows` (the cells' own text, null
for none); if the case is about them, also `values` (the same rows in the inferred types: numbers as
text, so that every digit counts), `lines`, `sheets`, `dialect`, `evidence` (words, by column) and `warnings`
(`CODE`, `CODE [lines]`, `(columns: a, b)` or words that must occur).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NONE = "∅"

Row = Sequence[str | bool | None]


@dataclass
class Case:
    """One file and what is expected of it."""

    name: str
    """Folder and file name, such as `csv/tab.csv`."""
    content: bytes
    why: str
    columns: str = ""
    """`name:type`, blank-separated, `?` behind a type that has empty cells."""
    rows: str | Sequence[Row] = ""
    """One line per row, cells separated by `|`, `∅` for an empty cell; a list if cells contain these."""
    labels: Sequence[str] = ()
    """Display names, if they differ from the names."""
    error: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def expectation(self) -> dict[str, Any]:
        """Return the expectation that is written beside the file."""
        if self.error:
            return {"why": self.why, "error": self.error, **self.extra}
        columns = []
        for index, column in enumerate(self.columns.split()):
            name, _, kind = column.partition(":")
            entry: dict[str, Any] = {"name": name, "type": kind.rstrip("?"), "nullable": kind.endswith("?")}
            if self.labels and self.labels[index] != name:
                entry["display_name"] = self.labels[index]
            columns.append(entry)
        extra = dict(self.extra)
        if "values" in extra:
            kinds = [column["type"] for column in columns]
            extra["values"] = [_typed(row, kinds) for row in table(extra["values"])]
        return {"why": self.why, "columns": columns, "rows": table(self.rows), **extra}

    def save(self, folder: Path) -> None:
        """Write the file and its expectation."""
        path = folder / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)
        text = json.dumps(self.expectation(), ensure_ascii=False, indent=1)
        path.with_name(path.name + ".json").write_text(text + "\n", encoding="utf-8")


def table(rows: str | Sequence[Row]) -> list[list[str | bool | None]]:
    """Return the rows that the short form stands for."""
    if not isinstance(rows, str):
        return [list(row) for row in rows]
    return [[None if cell == NONE else cell for cell in line.split("|")] for line in rows.split("\n") if line]


def _typed(row: Row, kinds: Sequence[str]) -> list[str | bool | None]:
    return [
        cell == "true" if kind == "boolean" and cell is not None else cell
        for cell, kind in zip(row, kinds, strict=True)
    ]


def case(
    name: str,
    content: bytes | str,
    why: str,
    columns: str = "",
    rows: str | Sequence[Row] = "",
    *,
    encoding: str = "utf-8",
    error: str = "",
    labels: Sequence[str] = (),
    **extra: Any,
) -> Case:
    """Return a case; text content is encoded as `encoding` says."""
    raw = content.encode(encoding) if isinstance(content, str) else content
    return Case(name, raw, why, columns, rows, labels, error, extra)
