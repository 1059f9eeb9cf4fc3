"""Measure how well files are read: accuracy by set of labelled files, and what changed file by file.

The sets are tests/files, by the expectation beside each file; files with one row that is written otherwise,
which are to be read as the clean one; and those of further folders, which hold

- `dialects.tsv`: file (in `dialects/`), delimiter (`\\t` for a tab) and quote, as people gave them;
- `lines.jsonl`: file (in `lines/`) and the class of each of its records: `metadata`, `header`, `group` (a
  label over the rows below), `data`, `derived` (a total within the data), `notes`, `empty`.

Each run keeps its outcomes in .local/scorecard, by commit, and prints how they differ from those of the last
commit that was measured. A change of the reader is judged by this card.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path

import measure
import pytest
import test_files
from measure import DOUBTFUL_ROWS, Labelled, count_classes, f1, is_dialect, read_text, record_starts
from polluted_files import clean_rows, polluted_files, read_rows

from managed_tables.errors import JobError
from managed_tables_analyze.analysis import Analysis

ROOT = Path(__file__).parent.parent
OUTCOMES = ROOT / ".local" / "scorecard"
POLLUTED = OUTCOMES / "polluted"
_ABOUT_LINES = {"TOTAL_ROWS", "SUBTOTAL_LINES", "GROUP_LINES"}
_SHOWN = 40  # changed files
_SHOWN_RANGES = 6  # of lines, for each mistake in a file


@dataclass(frozen=True)
class Outcome:
    """How a file was read: `counts` add up over its set, `detail` says what was wrong."""

    counts: Mapping[str, int] = field(default_factory=dict)
    detail: str = ""


def find_files(folders: Iterable[Path]) -> Iterator[Labelled]:
    """Yield the files of tests/files, then those of the labelled folders."""
    for expectation in sorted((ROOT / "tests" / "files").glob("*/*.json")):
        yield Labelled("tests/files", expectation)
    POLLUTED.mkdir(parents=True, exist_ok=True)
    for number, (kind, content) in enumerate(polluted_files()):
        path = POLLUTED / f"{number}.csv"
        path.write_text(content, "utf-8", newline="")
        yield Labelled(kind, path)
    for folder in folders:
        yield from measure.find_files(folder)


def measure_file(labelled: Labelled) -> Outcome:
    """Read a file and compare it with what people say about it."""
    with tempfile.TemporaryDirectory() as folder:
        work_dir = Path(folder)
        if labelled.path.suffix == ".json":
            return _compare_case(labelled.path, work_dir)
        try:
            if labelled.path.parent == POLLUTED:
                return _compare_rows(read_rows(labelled.path, work_dir))
            found = test_files.analyze_file(labelled.path, work_dir)
        except JobError as error:
            return _compare(labelled, error.kind.code)
        return _compare(labelled, found)


def _compare_rows(rows: Sequence[Sequence[str]]) -> Outcome:
    """Compare rows with those of the clean file."""
    clean = clean_rows()
    wrong = [number for number, pair in enumerate(zip(rows, clean, strict=False)) if pair[0] != pair[1]]
    detail = f"{len(rows)} rows; otherwise: {_shorten(wrong)}" if rows != clean else ""
    return Outcome({"files": 1, "right": int(rows == clean)}, detail)


def _compare(labelled: Labelled, found: Analysis | str) -> Outcome:
    """Compare a reading, or the code of a refusal, with what people say."""
    if labelled.records:
        return _compare_lines(labelled, found)
    if isinstance(found, str):
        return Outcome({"files": 1}, found)
    return _compare_dialect(labelled.path, labelled.dialect, found)


def _compare_case(expectation: Path, work_dir: Path) -> Outcome:
    try:
        test_files.test_a_file_is_read_as_expected(expectation, work_dir)
    except (AssertionError, JobError, pytest.fail.Exception) as error:
        return Outcome({"files": 1}, str(error).split("\n")[0][:160] or type(error).__name__)
    return Outcome({"files": 1, "right": 1})


def _compare_dialect(path: Path, truth: tuple[str, str], found: Analysis) -> Outcome:
    delimiter, quote = found.dialect.delimiter or "", found.dialect.quote or ""
    if is_dialect(truth, read_text(path), delimiter, quote):
        return Outcome({"files": 1, "right": 1})
    return Outcome({"files": 1}, f"{delimiter!r} {quote!r}, not {truth[0]!r} {truth[1]!r}")


def _compare_lines(labelled: Labelled, found: Analysis | str) -> Outcome:
    """Count records by their class and by what became of them."""
    starts = record_starts(read_text(labelled.path))
    filled = [line for line, truth in zip(starts, labelled.records, strict=True) if truth != "empty"]
    predicted = _predicted(found, filled) if isinstance(found, Analysis) else {}
    told = _told(found) if isinstance(found, Analysis) else set()
    counts: Counter[str] = Counter()
    wrong: dict[str, list[int]] = defaultdict(list)
    for line, truth in zip(starts, labelled.records, strict=True):
        if truth == "empty":
            continue
        guess = predicted.get(line, "other")
        counts.update(count_classes(truth, guess))
        if guess != truth and {guess, truth} & {"header", "data"}:
            wrong[f"{truth} as {guess}"].append(line)
        if truth in DOUBTFUL_ROWS:
            counts[truth] += 1
            counts[f"{truth} silent"] += guess == "data" and line not in told
    detail = "; ".join(f"{name} {_shorten(lines)}" for name, lines in wrong.items())
    return Outcome(dict(counts), found + "; " + detail if isinstance(found, str) else detail)


def _predicted(found: Analysis, filled: Sequence[int]) -> dict[int, str]:
    """Return what each line is that is part of the table, by its number."""
    [reading] = found.reading.tables
    predicted = {line: "data" for (line,) in test_files.staged_column(found, "line")}
    if reading.header_line is not None:
        below = [line for line in filled if line >= reading.header_line]
        predicted |= dict.fromkeys(below[: reading.header_lines], "header")
    return predicted


def _told(found: Analysis) -> set[int]:
    """Return the lines that warnings name; of more lines than a warning names, all below its last count."""
    told: set[int] = set()
    for warning in found.document.warnings:
        lines = warning.lines
        told |= {*lines}
        if warning.code in _ABOUT_LINES and (warning.count or 0) > len(lines) > 0:
            told |= {*range(max(lines), 1_000_000)}
    return told


def _shorten(lines: Sequence[int]) -> str:
    """Return line numbers as ranges: `3-5, 9`."""
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ", ".join(
        f"{first}-{last}" if last > first else str(first) for first, last in ranges[:_SHOWN_RANGES]
    )


def _measure_all(files: Sequence[Labelled]) -> dict[str, Outcome]:
    with ProcessPoolExecutor() as pool:
        outcomes = pool.map(measure_file, files, chunksize=4)
        return {f"{one.set}/{one.path.name}": outcome for one, outcome in zip(files, outcomes, strict=True)}


def print_card(outcomes: Mapping[str, Outcome], files: Sequence[Labelled]) -> None:
    """Print one line for each set."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for one in files:
        sums[one.set].update(outcomes[f"{one.set}/{one.path.name}"].counts)
    for name, counts in sums.items():
        if "files" in counts:
            share = counts["right"] / counts["files"]
            print(f"{name:15} {share:.3f} right ({counts['right']} of {counts['files']} files)")
        else:
            scores = " ".join(f"{kind} F1 {f1(counts, kind):.3f} " for kind in ("header", "data"))
            silent = ", ".join(
                f"{counts[f'{kind} silent']} of {counts[kind]} {kind}" for kind in DOUBTFUL_ROWS
            )
            print(f"{name:15} {scores} silent rows: {silent}")


def print_changes(outcomes: Mapping[str, Outcome]) -> None:
    """Print the files that are read otherwise than when the last commit was measured."""
    commits = _git("rev-list", "--max-count=200", "HEAD").split()
    saved = [path for commit in commits if (path := OUTCOMES / f"{commit[:12]}.json").exists()]
    if not saved:
        return
    before = {name: Outcome(**entry) for name, entry in json.loads(saved[0].read_text()).items()}
    changed = [name for name, one in outcomes.items() if name in before and one != before[name]]
    print(f"{len(changed)} files are read otherwise than by {saved[0].stem}")
    for name in changed[:_SHOWN]:
        print(f"  {name}\n    was: {before[name].detail or 'right'}")
        print(f"    now: {outcomes[name].detail or 'right'}")


def keep(outcomes: Mapping[str, Outcome]) -> None:
    """Keep the outcomes under the commit, if the tree is that of a commit."""
    if not _git("status", "--porcelain", "--", "functions", "layers", "tests"):
        OUTCOMES.mkdir(parents=True, exist_ok=True)
        entries = {name: asdict(one) for name, one in outcomes.items()}
        path = OUTCOMES / f"{_git('rev-parse', 'HEAD')[:12]}.json"
        path.write_text(json.dumps(entries, ensure_ascii=False, indent=0))


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def main() -> None:
    """Measure the files and print the card."""
    parser = argparse.ArgumentParser(prog="python tests/scorecard.py", description=__doc__.split("\n")[0])
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="a further folder of labelled files"
    )
    parser.add_argument("--set", action="append", help="measure this set alone")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="measure each N-th file alone")
    options = parser.parse_args()
    files = [one for one in find_files(options.folders) if not options.set or one.set in options.set]
    files = files[:: options.every]
    outcomes = _measure_all(files)
    print_card(outcomes, files)
    print_changes(outcomes)
    if options.every == 1 and not options.set:
        keep(outcomes)


if __name__ == "__main__":
    sys.exit(main())
