"""Have one program read files: `python programs.py NAME`, paths on standard input, one JSON answer a line.

Each program is called as its documentation says best for a file of which nothing is known. An answer has
`delimiter` and `quote`, `header` (first line, count), `first` (the first line of data) or `rows` (all of
them), `told` (lines that a warning names), `error`, and `seconds` of processor time; the last line has the
version and the peak of memory in MB.
"""

import csv
import json
import resource
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

MAX_SECONDS = 30  # of processor time, for a file
SAMPLE_CHARACTERS = 1_024  # what the documentation of `csv` and csvkit's default take

_ABOUT_LINES = ("TOTAL_ROWS", "SUBTOTAL_LINES", "GROUP_LINES")

Answer = dict[str, Any]


def of_header_row(delimiter: str, quote: str = '"', *, header: bool = True, above: int = 0) -> Answer:
    """Return the answer of a program that knows one header row at most, and skips lines above it at most."""
    return {
        "delimiter": delimiter,
        "quote": quote,
        "header": [above + 1] if header else [],
        "first": above + 1 + header,
    }


def read_ours(path: Path, *, infers: bool = True) -> Answer:
    """`read(path)`, all rows, and with the extra `infer` what its table doubts."""
    from managed_tables_reader import read

    table = read(path).tables[0]
    said = [*table.warnings, *(table.doubts() if infers else ())]
    told = {line for one in said for line in one.lines}
    for one in said:  # of more lines than it names, all below the last
        if one.code in _ABOUT_LINES and (one.count or 0) > len(one.lines) > 0:
            told |= {line for line, _ in table.numbered_rows if line > max(one.lines)}
    return {
        "delimiter": table.delimiter or "",
        "quote": table.quote or "",
        "header": [table.header_line, table.header_lines] if table.header_line else [],
        "rows": [line for line, _ in table.numbered_rows],
        "told": sorted(told),
        "is_warned": bool(said),
    }


def sniff_csv(path: Path) -> Answer:
    """The example of `csv.Sniffer` in Python's documentation, and `has_header`."""
    text = _text(path)
    sample = text[:SAMPLE_CHARACTERS]
    dialect = csv.Sniffer().sniff(sample)
    return of_header_row(dialect.delimiter, dialect.quotechar or "", header=csv.Sniffer().has_header(sample))


def sniff_clevercsv(path: Path) -> Answer:
    """`Detector().detect` and `has_header` over the whole text, as `read_table` does."""
    import clevercsv

    text = _text(path)
    dialect = clevercsv.Detector().detect(text)
    if dialect is None:
        raise ValueError("no dialect found")
    header = clevercsv.Detector().has_header(text)
    return of_header_row(dialect.delimiter or "", dialect.quotechar or "", header=header)


def sniff_duckdb(path: Path) -> Answer:
    """`FROM sniff_csv(path)`."""
    import duckdb

    query = "SELECT Delimiter, Quote, SkipRows, HasHeader FROM sniff_csv(?)"
    found = duckdb.execute(query, [str(path)]).fetchone()
    delimiter, quote, skipped, header = found or ("", "", 0, False)
    return of_header_row(_char(delimiter), _char(quote), header=header, above=skipped)


def read_polars(path: Path) -> Answer:
    """`read_csv(path)`: it is told the separator, or takes commas."""
    import polars

    polars.read_csv(path)
    return of_header_row(",")


def read_pandas(path: Path) -> Answer:
    """`read_csv(path, sep=None, engine="python")`, which finds the separator."""
    import pandas

    with pandas.read_csv(path, sep=None, engine="python", iterator=True) as reader:
        dialect = reader._engine.data.dialect  # it does not say what it found
        reader.read()
    return of_header_row(dialect.delimiter, dialect.quotechar or "")


def sniff_csvkit(path: Path) -> Answer:
    """What every command of csvkit does first (`--snifflimit 1024`): agate's sniffer."""
    import agate

    dialect = agate.csv.Sniffer().sniff(_text(path)[:SAMPLE_CHARACTERS])
    return of_header_row(getattr(dialect, "delimiter", ","), getattr(dialect, "quotechar", '"') or "")


def describe_frictionless(path: Path) -> Answer:
    """`describe(path)`."""
    import frictionless

    frictionless.system.trusted = True  # absolute paths
    found = frictionless.describe(str(path), format="csv", type="table")
    control = found.dialect.get_control("csv")
    rows = found.dialect.header_rows if found.dialect.header else []
    return of_header_row(control.delimiter, control.quote_char, header=bool(rows), above=(rows or [1])[0] - 1)


PROGRAMS: dict[str, Callable[[Path], Answer]] = {
    "managed-tables-reader": read_ours,
    "managed-tables-reader, texts alone": partial(read_ours, infers=False),
    "csv.Sniffer": sniff_csv,
    "clevercsv": sniff_clevercsv,
    "duckdb": sniff_duckdb,
    "polars": read_polars,
    "pandas": read_pandas,
    "csvkit": sniff_csvkit,
    "frictionless": describe_frictionless,
}


def _char(text: str | None) -> str:
    return "" if text in (None, "\0", "(empty)") else str(text)


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _late(*_: object) -> None:
    raise TimeoutError(f"took more than {MAX_SECONDS} s")


def _answer(read: Callable[[Path], Answer], path: Path) -> Answer:
    started = time.process_time() + _children()
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        found = read(path)
    except BaseException as error:  # whatever a program raises is its answer
        if isinstance(error, KeyboardInterrupt):
            raise
        found = {"error": f"{type(error).__name__}: {error}"[:200]}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return found | {"seconds": time.process_time() + _children() - started}


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Answer for each path that is read from standard input."""
    name = sys.argv[1]
    signal.signal(signal.SIGPROF, _late)
    read = PROGRAMS[name]
    with TemporaryDirectory() as folder:  # a first file, which loads the program
        first = Path(folder) / "first.csv"
        first.write_text("a,b\n1,x\n2,y\n", encoding="utf-8")
        _answer(read, first)
    for line in sys.stdin:
        print(json.dumps(_answer(read, Path(line.rstrip("\n")))), flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(json.dumps({"version": _version(name), "memory": memory}), flush=True)


def _version(name: str) -> str:
    if name == "csv.Sniffer":
        return f"Python {sys.version.split()[0]}"
    try:
        return version(name.partition(",")[0])
    except PackageNotFoundError:  # the reader, as the checkout has it
        return "not installed"


if __name__ == "__main__":
    main()
