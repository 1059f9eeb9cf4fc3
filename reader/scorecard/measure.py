"""Measure programs that read tables on labelled files, and write the page: `python measure.py FOLDER PAGE`.

FOLDER holds files of the sets that sets.toml names. Every program runs in a process of its own over all files
(programs.py); a file that it refuses, or on which it takes too long, counts as read wrongly. Programs that do
not look for the encoding get a copy in UTF-8.
"""

import argparse
import csv
import io
import json
import platform
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
OURS = "managed-tables-reader"
TEXTS = f"{OURS}, texts alone"  # by cost alone: without the extra `infer`
PROGRAMS = (OURS, TEXTS, "clevercsv", "duckdb", "csv.Sniffer", "csvkit", "pandas", "polars", "frictionless")
_SEPARATORS = ",;\t|"  # a file without any of these has no wrong delimiter
DOUBTFUL_ROWS = ("derived", "group")  # classes that may be rows, but not without a word

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Labelled:
    """A file of a set, and what people say of it: its dialect, or the class of each record."""

    set: str
    path: Path
    dialect: tuple[str, str] = ("", "")
    records: Sequence[str] = ()


@dataclass
class Score:
    """What a program gave: counts by set, the processor time and memory it took."""

    version: str = ""
    memory: float = 0
    seconds: float = 0
    megabytes: float = 0
    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def find_files(folder: Path) -> Iterator[Labelled]:
    """Yield the labelled files of a folder."""
    with (folder / "dialects.tsv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            dialect = row["delimiter"].replace("\\t", "\t"), row["quote"]
            yield Labelled(_set_of(row["file"]), folder / "dialects" / row["file"], dialect=dialect)
    for line in (folder / "lines.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        yield Labelled(_set_of(entry["file"]), folder / "lines" / entry["file"], records=entry["records"])


def _set_of(file: str) -> str:
    return file.partition("/")[0]


def read_text(path: Path) -> str:
    """Return a labelled file's text: UTF-8, with or without a mark, or cp1252."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def score_program(name: str, files: Sequence[Labelled], copies: Sequence[Path]) -> Score:
    """Have a program read all files, and compare its answers with what people say."""
    paths = [one.path for one in files] if name in (OURS, TEXTS) else copies
    command = [sys.executable, "-W", "ignore", str(HERE / "programs.py"), name]
    given = "".join(f"{path.resolve()}\n" for path in paths)
    done = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    *answers, about = map(json.loads, done.stdout.splitlines())
    score = Score(about["version"], about["memory"])
    for labelled, copy, answer in zip(files, copies, answers, strict=True):
        score.seconds += answer["seconds"]
        score.megabytes += labelled.path.stat().st_size / 1e6
        compare = count_lines if labelled.records else count_dialect
        score.counts[labelled.set].update(compare(labelled, copy.read_text("utf-8"), answer))
    return score


def count_dialect(labelled: Labelled, text: str, answer: Answer) -> Counter[str]:
    """Count a file by whether its dialect is found."""
    counts = Counter(files=1, refused="error" in answer)
    if "error" not in answer:
        is_right = is_dialect(labelled.dialect, text, answer["delimiter"], answer["quote"])
        counts.update(right=is_right, told=not is_right and answer.get("is_warned", False))
    return counts


def is_dialect(truth: tuple[str, str], text: str, delimiter: str, quote: str) -> bool:
    """Compare dialects: a delimiter counts without its blank; a quote that does not occur is never wrong."""
    is_cut = not any(map(text.__contains__, _SEPARATORS)) or delimiter.rstrip(" ") == truth[0].rstrip(" ")
    return is_cut and (quote == truth[1] or not truth[1] or truth[1] not in text)


def count_lines(labelled: Labelled, text: str, answer: Answer) -> Counter[str]:
    """Count records by their class and by what became of them."""
    starts = record_starts(text)
    filled = [line for line, truth in zip(starts, labelled.records, strict=True) if truth != "empty"]
    found = _classes(answer, filled)
    counts = Counter(files=1, refused="error" in answer)
    for line, truth in zip(starts, labelled.records, strict=True):
        if truth == "empty":
            continue
        counts.update(count_classes(truth, found.get(line)))
        if truth in DOUBTFUL_ROWS:
            counts["doubtful"] += 1
            counts["silent"] += found.get(line) == "data" and line not in answer.get("told", ())
    return counts


def count_classes(truth: str, found: str | None) -> Counter[str]:
    """Count a record by its class, and by the one that was found: what an F1 is made of."""
    counts: Counter[str] = Counter()
    for kind in ("header", "data"):
        counts[f"{kind} right"] += truth == found == kind
        counts[f"{kind} found"] += found == kind
        counts[f"{kind} true"] += truth == kind
    return counts


def _classes(answer: Answer, filled: Sequence[int]) -> dict[int, str]:
    """Return which lines a program takes for the header and for rows."""
    if "error" in answer:
        return {}
    rows = answer["rows"] if "rows" in answer else [line for line in filled if line >= answer["first"]]
    classes = dict.fromkeys(rows, "data")
    if answer["header"]:
        first, count = [*answer["header"], 1][:2]
        classes |= dict.fromkeys([line for line in filled if line >= first][:count], "header")
    return classes


def record_starts(text: str) -> list[int]:
    """Return the first physical line of each record; a line break within quotes ends none."""
    reader = csv.reader(io.StringIO(text, newline=""))
    ends = [reader.line_num for _ in reader]
    return [1 + before for before in [0, *ends[:-1]]]


def copy_as_utf8(files: Sequence[Labelled], folder: Path) -> list[Path]:
    """Return the files in UTF-8 without a mark: themselves, or copies."""
    copies = []
    for number, one in enumerate(files):
        text = read_text(one.path)
        copy = one.path if text.encode() == one.path.read_bytes() else folder / f"{number}.csv"
        if copy != one.path:
            copy.write_bytes(text.encode())
        copies.append(copy)
    return copies


def f1(counts: Counter[str], kind: str) -> float:
    """Return the harmonic mean of precision and recall."""
    return 2 * counts[f"{kind} right"] / max(1, counts[f"{kind} found"] + counts[f"{kind} true"])


def write_page(scores: Mapping[str, Score], sets: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page, in Markdown."""
    dialects, lines = (
        [name for name, one in sets.items() if one["kind"] == kind] for kind in ("dialects", "lines")
    )
    every, scores = scores, {name: one for name, one in scores.items() if name != TEXTS}
    parts = [
        _INTRODUCTION,
        _table(
            ["program", *(sets[name]["title"] for name in dialects), "refused", "wrong and told"],
            [
                [
                    name,
                    *(f"{one.counts[s]['right'] / one.counts[s]['files']:.3f}" for s in dialects),
                    _sum(one, dialects, "refused"),
                    _sum(one, dialects, "told"),
                ]
                for name, one in scores.items()
            ],
        ),
        _LINES,
    ]
    for kind, title in (("header", "Header, F1"), ("data", "Rows, F1")):
        shown = [
            [
                name,
                *(f"{f1(one.counts[s], kind):.3f}" for s in lines),
                f"{sum(f1(one.counts[s], kind) for s in lines) / len(lines):.3f}",
            ]
            for name, one in scores.items()
        ]
        parts.append(
            f"### {title}\n\n" + _table(["program", *(sets[name]["title"] for name in lines), "mean"], shown)
        )
    silent = [
        [name, _sum(one, lines, "refused"), f"{_sum(one, lines, 'silent')} of {_sum(one, lines, 'doubtful')}"]
        for name, one in scores.items()
    ]
    parts += ["### Refused, and said\n", _SILENT, _table(["program", "refused", "silent"], silent)]
    cost = [
        [name, one.version, f"{one.seconds / one.megabytes:.2f}", f"{one.memory:.0f}"]
        for name, one in every.items()
    ]
    parts += [
        "## What it costs\n",
        _COST,
        _table(["program", "version", "seconds a MB", "MB of memory"], cost),
    ]
    files = next(iter(every.values())).counts
    listed = [
        [
            f"[{one['title']}]({one['from']})",
            one["origin"],
            one["labelled"],
            one["licence"],
            files[name]["files"],
        ]
        for name, one in sets.items()
    ]
    parts += ["## The files\n", _FILES, _table(["set", "what", "labelled", "licence", "files"], listed)]
    return "\n".join(parts)


def _sum(score: Score, sets: Iterable[str], what: str) -> int:
    return sum(score.counts[name][what] for name in sets)


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [names, ["---"] * len(names), *rows]
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in lines)


_INTRODUCTION = f"""# How well tables are read

Written by `make scorecard FOLDER=… PAGE=docs/scorecard.md`: this reader and seven other programs on labelled
files of other people, each called as its documentation says best
([programs.py](../reader/scorecard/programs.py)), with the versions below, Python
{platform.python_version()} on {platform.machine()}. A file that a program refuses, or on which it takes more
than 30 s, is read wrongly. All but this reader get the files in UTF-8: most find no encodings.

## Dialects

The share of files whose delimiter and quote are what people say. *Wrong and told* are the wrong ones of both
sets that came with a warning of any kind. polars is told a delimiter, or takes commas.
"""
_LINES = """## Lines

Which lines are the header, and which are rows, in tables with titles, groups, totals and notes. A program
that knows one header at the top, and takes all below it for rows, is measured as if it said so; the delimiter
need not be right.
"""
_SILENT = """Totals and labels of groups that stand among the rows may stay there, but not without a word.
Only this reader has warnings that name lines; a refused file has no rows, and so none that are silent.
"""
_COST = """Processor time over all files, after a first small one that loads the program, and the peak of its
memory. Most files are small, so that this is mostly what a file costs, whatever its size. Sniffers look at a
sample and give a dialect; pandas and polars read every row; this reader does, infers every column's type and
looks for totals among the rows, or gives texts alone.
"""
_FILES = """They are not in the repository: [sets.toml](../reader/scorecard/sets.toml) says where to get them,
and how a folder of them is laid out. Half of each set, chosen by a digest of the file's name, is measured
here: **this reader was developed on this half**, so that its figures are better than on files that it has
never met. On 221 other files labelled by hand, measured apart and before this version, CleverCSV was right in
.910, this reader in .896. The other programs may know these files, too: CSV Wrangling was collected for
CleverCSV's paper.

Not measured here: several tables in a file, types and values (no set has them labelled), Pollock, and qsv,
csv-nose and xan, which come as binaries.
"""


def main() -> None:
    """Measure the programs and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("page", type=Path, metavar="PAGE")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="measure this program alone")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="measure each N-th file alone")
    options = parser.parse_args()
    sets = tomllib.loads((HERE / "sets.toml").read_text("utf-8"))
    files = [one for one in find_files(options.folder) if one.set in sets][:: options.every]
    found = {name: one for name, one in sets.items() if any(file.set == name for file in files)}
    scores = {}
    with TemporaryDirectory() as folder:
        copies = copy_as_utf8(files, Path(folder))
        for name in options.program or PROGRAMS:
            print(name, file=sys.stderr)
            scores[name] = score_program(name, files, copies)
    options.page.write_text(write_page(scores, found), encoding="utf-8")


if __name__ == "__main__":
    main()
