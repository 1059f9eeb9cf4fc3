"""Read files and compare with what stands beside them: `python check_files.py FOLDER [--every N]`.

FOLDER is laid out as tests/files of the repository: beside `x.csv` stands `x.csv.json`, with the columns and
rows that the product gives, or the code of its refusal. Needs nothing but the installed distribution.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from managed_tables.identifiers import make_column_names
from managed_tables_reader import ReadError, Table, read


def compare(expectation: Path) -> str:
    """Return what a file gives otherwise than it must, nothing if it is read as expected."""
    expected = json.loads(expectation.read_text(encoding="utf-8"))
    try:
        tables = read(expectation.with_suffix("")).tables
    except ReadError as error:
        return "" if error.code == expected.get("error") else f"refused: {error.code}: {error}"
    if "error" in expected:
        return f"read, not refused: {expected['error']}"
    names = [column["name"] for column in expected["columns"]]
    found = list(_combined(tables, names))
    if found != expected["rows"]:
        odd = [pair for pair in zip(found, expected["rows"], strict=False) if pair[0] != pair[1]]
        return f"{len(found)} rows, not {len(expected['rows'])}; {odd[:2]}"
    if len(tables) == 1 and find_spec("duckdb"):
        [types, wanted] = tables[0].types(), [column["type"] for column in expected["columns"]]
        return "" if types == wanted else f"types {types}, not {wanted}"
    return ""


def _combined(tables: list[Table], names: list[str]) -> Iterator[list[Any]]:
    """Yield the rows of all tables in the columns of these names; a table without labels goes by place."""
    for table in tables:
        own = make_column_names([label or "" for label in table.labels])
        if not any(table.labels) and len(own) == len(names):
            own = names
        places = [own.index(name) if name in own else None for name in names]
        for cells in table.rows:
            yield [None if place is None else cells[place] for place in places]


def main() -> int:
    """Compare every file, or each N-th; print those that differ."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    options = parser.parse_args()
    expectations = sorted(options.folder.glob("*/*.json"))[:: options.every]
    differing = 0
    for expectation in expectations:
        if difference := compare(expectation):
            differing += 1
            print(f"{expectation.parent.name}/{expectation.stem}: {difference}")
    print(f"{len(expectations) - differing} of {len(expectations)} files are read as the product reads them")
    return int(differing > 0 or not expectations)


if __name__ == "__main__":
    sys.exit(main())
