"""Run the command: `read-tables FILE [--json|--explain|--csv]`.

It prints how the file was read and the first rows; `--json` one object for each table, `--csv` all rows of
the tables, `--explain` the candidates that were weighed, in bits.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from itertools import islice
from typing import Any

from managed_tables_reader.tables import OVERRIDES, Note, ReadError, Reading, Table, read

_ROWS_SHOWN = 5
_SIGNS = {"tab": "\t", "\\t": "\t", "space": " ", "none": ""}
_NUMBERS = ("header_line", "header_lines", "first_line", "last_line")
_ASKED = ("sheet", "encoding", "delimiter", *_NUMBERS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if the file is refused."""
    options = _parser().parse_args(arguments)
    try:
        reading = read(options.file, _overrides(options), explain=options.explain)
    except (ReadError, OSError) as error:
        code = error.code if isinstance(error, ReadError) else "NOT_OPENED"
        if options.json:
            print(json.dumps({"file": options.file, "error": {"code": code, "message": str(error)}}))
        else:
            print(f"read-tables: {options.file}: {code}: {error}", file=sys.stderr)
        return 1
    if options.csv:
        _write_csv(reading)
    elif options.json:
        for table in reading.tables:
            print(json.dumps(_described(table), ensure_ascii=False))
    else:
        _show(reading)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="read-tables", description="Read a table file of any kind.")
    parser.add_argument("file", metavar="FILE")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--json", action="store_true", help="print one JSON object for each table")
    shown.add_argument("--explain", action="store_true", help="print what else was weighed, in bits")
    shown.add_argument("--csv", action="store_true", help="print all rows in the form of RFC 4180")
    stated = parser.add_argument_group("what is known of the file")
    for name in _ASKED:
        kind = int if name in _NUMBERS else str
        stated.add_argument(f"--{name.replace('_', '-')}", type=kind, metavar=name.rpartition("_")[2].upper())
    return parser


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: value for name in OVERRIDES if (value := getattr(options, name, None)) is not None}
    if "delimiter" in given:
        given["delimiter"] = _SIGNS.get(given["delimiter"], given["delimiter"])
    if given.get("header_line") == 0:
        given["header_line"] = None
    return given


def _write_csv(reading: Reading) -> None:
    writer = csv.writer(sys.stdout)
    for table in reading.tables:
        if any(table.labels):
            writer.writerow(table.labels)
        writer.writerows(table.rows)


def _described(table: Table) -> dict[str, Any]:
    names = ("file", "sheet", "kind", "encoding", "delimiter", "quote", "header_line", "first_line")
    described = {name: getattr(table, name) for name in (*names, "last_line", "labels", "row_count")}
    if find_spec("duckdb"):
        described |= {"types": table.types(), "doubts": list(map(asdict, table.doubts()))}
    notes = {name: list(map(asdict, getattr(table, name))) for name in ("reasons", "warnings")}
    return described | notes


def _show(reading: Reading) -> None:
    for table, candidates in zip(reading.tables, reading.candidates, strict=True):
        place = f"{table.file} ({table.sheet})" if table.sheet else table.file
        print(f"{place}: {table.row_count} rows, {len(table.labels)} columns")
        _print_notes("because", table.reasons)
        _print_notes("warning", table.warnings)
        for candidate in candidates:
            _print_candidate(candidate)
        print("  " + " | ".join(label or "" for label in table.labels))
        for cells in islice(table.rows, _ROWS_SHOWN):
            print("  " + " | ".join(cell or "" for cell in cells))
    for left in reading.left_out:
        print(f"{left.file} ({left.sheet}) is left out")
        _print_notes("because", left.reasons)


def _print_notes(word: str, notes: Sequence[Note]) -> None:
    for note in notes:
        print(f"  {word}: {note.text} [{note.code}]")


def _print_candidate(candidate: dict[str, Any]) -> None:
    layout = candidate["layout"]
    bits = layout["bits"]
    cut = "" if candidate["delimiter"] is None else f"delimiter {candidate['delimiter']!r}, "
    parts = ", ".join(f"{name} {value:.1f}" for name, value in bits.items())
    print(f"  candidate: {cut}{sum(bits.values()):.1f} bits ({parts})")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        os._exit(1)
