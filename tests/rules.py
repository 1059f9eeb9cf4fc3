"""Switch off each rule of the reader in turn, and print which files are then read differently.

A rule is a weight (off: 0), a proposed delimiter, a layout candidate or a repair. The files are
those of tests/files and of the given folders. `--write` keeps, for each rule, one file that needs it,
in tests/files/rules.json, which a test checks; `--first` stops at the first file for each rule.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from managed_tables.errors import JobError
from managed_tables_reader.files.kinds import Kind, detect_kind
from managed_tables_reader.layout import heading, looks, score, search, weights
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.sheets import Sheet
from managed_tables_reader.text import choosing, mending, text_file, text_table
from managed_tables_reader.text.columns import Columns
from managed_tables_reader.text.records import RecordReader
from managed_tables_reader.text.text_file import open_text
from managed_tables_reader.text.text_table import normalise
from managed_tables_reader.workbooks import read_workbook
from managed_tables_reader.workbooks.tables import sheet_table
from managed_tables_reader.workbooks.tables.sheet_table import stage_sheet

FILES = Path(__file__).parent / "files"
CASES = FILES / "rules.json"
_NO_FILES = (".json", ".py", ".pyc", ".zip")
_MOST_BYTES = 2_000_000  # of a file: the rules look at its first lines
_SHOWN = 4

Switch = Callable[[], Any]
Digest = tuple[object, ...]


def _function(owner: object, name: str, result: Any) -> Switch:
    # A plain function, so that it binds when it replaces a method.
    return lambda: patch.object(owner, name, lambda *_, **__: result)


_FUNCTIONS: dict[str, tuple[Switch, ...]] = {
    "candidate: hint": (_function(choosing, "find_hint", None),),
    "candidate: runs of blanks": (_function(choosing, "is_cut_by_runs", result=False),),
    "candidate: wrapped lines": (_function(choosing, "count_wrapped", 0),),
    "candidate: comments among the rows": (_function(choosing, "_comments", []),),
    "candidate: lists in texts": (_function(choosing, "_list_bits", 0.0),),
    "candidate: another table below": (_function(search, "_splits", []),),
    "candidate: header among the rows": (_function(search, "_labelled", 0),),
    "candidate: ends of sections": (
        _function(text_table, "leave_out_section_ends", None),
        _function(sheet_table, "leave_out_section_ends", None),
    ),
    "candidate: lines that come again": (_function(score, "find_repeats", {}),),
    "candidate: consecutive labels": (_function(heading, "count_labels", frozenset()),),
    "candidate: names of rows": (_function(text_file, "_name_rows", None),),
    "candidate: header by another delimiter": (_function(text_file, "cut_labels", None),),
    "candidate: columns aligned by blanks": (_function(text_file, "is_aligned", result=False),),
    "repair: all": (_function(mending.Mender, "mend", None),),
    "repair: by another delimiter": (_function(mending.Mender, "_by_other_delimiter", None),),
    "repair: by the columns": (_function(mending.Mender, "_by_columns", None),),
    "repair: quotes anew": (_function(mending, "regroup", None),),
    "repair: doubtful quotes": (_function(Columns, "is_suspicious", result=False),),
    "repair: the other escape": (_function(RecordReader, "_read_escaped", None),),
}


def rules() -> dict[str, tuple[Switch, ...]]:
    """Return the rules by name, each with its switches."""
    found: dict[str, tuple[Switch, ...]] = {}
    for name, value in vars(weights).items():
        if isinstance(value, float):
            found[f"weight: {name}"] = (lambda name=name: patch.object(weights, name, 0.0),)  # type: ignore[misc]
        elif name.isupper() and isinstance(value, dict):
            for key in value:
                found[f"{name.lower()}: {key}"] = (
                    lambda mapping=value, key=key: _without(mapping, key),  # type: ignore[misc]
                )
    return found | _FUNCTIONS


@contextmanager
def _without(mapping: dict[str, float], key: str) -> Iterator[None]:
    rest = {name: value for name, value in mapping.items() if name != key}
    with patch.dict(mapping, rest, clear=True):
        yield


@contextmanager
def switched_off(switches: Iterable[Switch]) -> Iterator[None]:
    """Switch a rule off for the `with` block, and clear the caches of how cells look."""
    with ExitStack() as stack:
        for switch in switches:
            stack.enter_context(switch())
        stack.callback(looks.cached_look.cache_clear)
        looks.cached_look.cache_clear()
        yield


class Files:
    """Reads files as far as the rules matter: to the staged rows of text."""

    def __init__(self, work_dir: Path) -> None:
        self._work_dir = work_dir
        self._sheets: dict[Path, list[Sheet]] = {}

    def digest(self, path: Path) -> Digest:
        """Return what is read from a file, for comparison; an error counts as a reading."""
        try:
            kind, _ = detect_kind(path)
            if kind is Kind.TEXT:
                return self._digest_text(path)
            return tuple(self._digest_sheet(path, sheet) for sheet in self._sheets_of(path, kind))
        except JobError as error:
            return ("error", error.kind.code)

    def _digest_text(self, path: Path) -> Digest:
        text = open_text(path, path.name, self._work_dir)
        part = normalise(text, self._work_dir)
        return (text.source.encoding.name, text.dialect, text.is_prose, text.trim, *_digest_part(part))

    def _digest_sheet(self, path: Path, sheet: Sheet) -> Digest:
        copy = replace(sheet, batches=iter(list(sheet.batches)), findings=list(sheet.findings))
        part = stage_sheet(copy, path.name, self._work_dir / "sheet")
        return (sheet.name, *(_digest_part(part) if part else ()))

    def _sheets_of(self, path: Path, kind: Kind) -> list[Sheet]:
        """Return a workbook's sheets, read only once, as no layout rule affects how cells are read."""
        if path not in self._sheets:
            found = []
            for sheet in read_workbook(path, kind, path.name):
                sheet.batches = list(sheet.batches)  # type: ignore[assignment]
                found.append(sheet)
            self._sheets[path] = found
        return self._sheets[path]


def _digest_part(part: Part) -> Digest:
    rows = hashlib.sha256(part.path.read_bytes()).hexdigest()
    codes = tuple(sorted(finding.code for finding in part.findings))
    return (tuple(part.labels), part.header_line, part.header_lines, part.data_line, rows, codes)


def find_files(*folders: Path) -> list[Path]:
    """Return the readable files in folders, smallest first."""
    found = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in _NO_FILES and 0 < path.stat().st_size <= _MOST_BYTES
    ]
    return sorted(found, key=lambda path: (path.stat().st_size, path))


def sweep(
    files: Files, paths: Sequence[Path], names: Iterable[str], most: int | None = None
) -> Iterator[tuple[str, list[Path]]]:
    """Yield each rule with the files that are read differently without it, at most `most`."""
    before = {path: files.digest(path) for path in paths}
    every, cases = rules(), read_cases()
    for name in names:
        likely = sorted(paths, key=lambda path: path != FILES / (cases.get(name) or ""))
        with switched_off(every[name]):
            yield name, list(islice((path for path in likely if files.digest(path) != before[path]), most))


def read_cases() -> dict[str, str | None]:
    """Return, for each rule, the file kept as its case."""
    return json.loads(CASES.read_text()) if CASES.exists() else {}


def main() -> None:
    """Sweep over the files and print one line per rule."""
    parser = argparse.ArgumentParser(prog="python tests/rules.py", description=__doc__)
    parser.add_argument("rules", nargs="*", metavar="RULE", help="part of a name; default: all")
    parser.add_argument("--corpus", type=Path, action="append", default=[], help="a further folder of files")
    parser.add_argument("--write", action="store_true", help=f"write {CASES.name}")
    parser.add_argument("--first", action="store_true", help="stop at the first file of each rule")
    options = parser.parse_args()
    names = [name for name in rules() if not options.rules or any(part in name for part in options.rules)]
    kept: dict[str, str | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = find_files(FILES, *options.corpus)
        for name, changed in sweep(Files(Path(folder)), paths, names, 1 if options.first else None):
            print(
                f"{name:45}{len(changed):4}  {' '.join(path.name for path in changed[:_SHOWN])}", flush=True
            )
            kept[name] = _smallest(changed)
    if options.write:
        _write(kept)


def _smallest(changed: Iterable[Path]) -> str | None:
    own = [path for path in changed if path.is_relative_to(FILES)]
    smallest = min(own, key=lambda path: (path.stat().st_size, path.name), default=None)
    return None if smallest is None else str(smallest.relative_to(FILES))


def _write(kept: Mapping[str, str | None]) -> None:
    before = read_cases()
    found = {name: kept.get(name, before.get(name)) for name in rules()}
    CASES.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
