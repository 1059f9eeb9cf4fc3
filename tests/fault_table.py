"""The table of docs/reliability.md: how many faults each step can meet, as counted by a run."""

import re
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs/reliability.md"
_HEADER = "| step | faults that can be injected |\n|---|---|\n"
_TABLE = re.compile(re.escape(_HEADER) + r"(?:\|[^\n]*\n)*")
_ROW = re.compile(r"\| (?:\*\*)?([^|*]+?)(?:\*\*)? \| ([\d,]+) \|")


def read_table() -> dict[str, int]:
    """Return the page's number of faults for each step and for `all`."""
    table = _TABLE.search(PAGE.read_text())
    assert table is not None, "docs/reliability.md has no table of faults"
    rows = _ROW.findall(table.group().removeprefix(_HEADER))
    return {name: int(count.replace(",", "")) for name, count in rows}


def write_table(possible: Mapping[str, int]) -> None:
    """Update the page's table with a run's counts; steps that it did not run keep their figures."""
    known = {name: count for name, count in read_table().items() if name != "all"} | dict(possible)
    ordered = sorted(known.items(), key=lambda step: (-step[1], step[0]))
    rows = [f"| {name} | {count:,} |\n" for name, count in ordered]
    text = _HEADER + "".join(rows) + f"| **all** | {sum(known.values()):,} |\n"
    PAGE.write_text(_TABLE.sub(lambda _: text, PAGE.read_text()))
