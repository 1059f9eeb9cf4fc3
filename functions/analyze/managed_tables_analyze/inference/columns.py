"""Owns the judgement of a column: its type, its formats, and why."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion import Formats
from managed_tables.conversion.cells import LETTER_PAIRS
from managed_tables.conversion.sql_text import trimmed
from managed_tables.findings import Finding, GroundCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference import explanation
from managed_tables_analyze.inference.codes import find_code_in_label, find_code_in_values, find_cut_code
from managed_tables_analyze.inference.counting import (
    ROW_NUMBER,
    Question,
    Tally,
    cell_name,
    count_cells,
    staged_rows,
)
from managed_tables_analyze.inference.exponents import find_shortened
from managed_tables_analyze.inference.hypotheses import Choice, Hypothesis
from managed_tables_analyze.inference.marks import Reading, settle_marks, tell_doubt
from managed_tables_analyze.inference.trial import HEAD, NOTHING, Trial, try_columns

_DISTINCT_VALUES = 200  # of the head, to recognise a code by
_LONGEST_CODE = 64
_EIGHT_DIGITS = re.compile("(?:19|20)[0-9]{6}")


@dataclass(frozen=True)
class InferredColumn:
    """What analyze says of one column of the staged object.

    `inference` is the job's optional object: confidence, evidence, exceptions, warnings, alternatives.
    `findings` are its warnings.
    """

    type: ColumnType
    nullable: bool
    formats: Formats
    inference: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)


def infer_columns(
    connection: DuckDBPyConnection,
    staged: Path,
    labels: Sequence[str],
    files: Sequence[str],
    *,
    names: Sequence[str] = (),
    delimiter: str | None = None,
    point_columns: Collection[int] = (),
    timezone: str = "UTC",
) -> list[InferredColumn]:
    """Return one judgement a column, in order.

    `labels` are the headers as written; `names` what the columns are called (the labels, where they are not
    given); `files` the names that the object's `file` indexes; `delimiter` the files', None for workbooks.
    `point_columns` are the columns, counted from 0, in which a reader wrote some workbook's numeric cell
    with a decimal point: the point is their mark. `timezone` is that of times without one.
    """
    trials = try_columns(connection, staged, len(labels), timezone)
    readings = settle_marks(connection, staged, trials, delimiter, frozenset(point_columns))
    judged = [
        _judge(connection, staged, trial, reading, label)
        for trial, reading, label in zip(trials, readings, labels, strict=True)
    ]
    judged = _with_shortened(connection, staged, judged, labels)
    exceptions = explanation.read_exceptions(connection, staged, judged, files)
    return [
        InferredColumn(
            one.type,
            one.nullable,
            replace(one.formats, timezone=timezone),
            one.as_record(name, cells),
            one.findings(name),
        )
        for one, cells, name in zip(judged, exceptions, names or labels, strict=True)
    ]


def _with_shortened(
    connection: DuckDBPyConnection,
    staged: Path,
    judged: Sequence[explanation.Judgement],
    labels: Sequence[str],
) -> list[explanation.Judgement]:
    """Add what is to be told of numbers that a spreadsheet shortened; under a code's label they are text."""
    asked = [one.column for one in judged if one.type in (ColumnType.TEXT, ColumnType.DECIMAL)]
    found = find_shortened(connection, staged, asked)
    told = []
    for one, label in zip(judged, labels, strict=True):
        shortened = found.get(one.column)
        if shortened is not None:
            code = find_code_in_label(label, _LONGEST_CODE)
            told.append(explanation.shortened(one, shortened.warning(), code))
        else:
            told.append(one)
    return told


def _judge(
    connection: DuckDBPyConnection, staged: Path, trial: Trial, reading: Reading, label: str
) -> explanation.Judgement:
    if reading.hypothesis is None:
        return _judge_text(trial, reading)
    chosen, tally = reading.hypothesis, trial.tallies[reading.hypothesis]
    formats = replace(reading.formats, null_tokens=_has_tokens(tally))
    if chosen.type is ColumnType.BOOLEAN and not _letters_are_paired(connection, staged, trial.column):
        return explanation.lone_letters(tally, trial.column, formats)
    if chosen.type in (ColumnType.INTEGER, ColumnType.DECIMAL):
        values = _head_values(connection, trial.column)
        code = _find_code(values, label, chosen.type)
        if code is not None:
            cut = find_cut_code(code, values)
            return explanation.code(tally, trial.column, formats, chosen.type, code, cut)
        if (
            values
            and all(map(_EIGHT_DIGITS.fullmatch, values))
            and _are_days(connection, staged, trial.column)
        ):
            days = explanation.typed(tally, trial.column, formats, chosen.type)
            return explanation.or_else(days, ColumnType.DATE, GroundCode.COMPACT_DATES)
    if reading.doubt is None or reading.alternative is None:
        return explanation.typed(tally, trial.column, formats, chosen.type)
    doubt = tell_doubt(reading, _find_example(connection, staged, trial.column))
    judged = explanation.typed(tally, trial.column, formats, chosen.type, doubt)
    return explanation.or_else(judged, reading.alternative.type, GroundCode.OTHER_MARK)


def _find_example(connection: DuckDBPyConnection, staged: Path, column: int) -> str:
    """Return the column's first cell that has a comma or a point."""
    cell = cell_name(column)
    found = connection.execute(
        f"SELECT {trimmed(cell)} FROM {staged_rows(staged)} WHERE regexp_matches({cell}, '[0-9][.,][0-9]') "  # noqa: S608
        f"ORDER BY {ROW_NUMBER} LIMIT 1"
    ).fetchone()
    return str(found[0]) if found else ""


def _are_days(connection: DuckDBPyConnection, staged: Path, column: int) -> bool:
    """Tell whether every cell of a column of eight digits can be a day, `yyyymmdd`."""
    choice = Choice(ColumnType.DATE, Formats(null_tokens=True))
    [tally] = count_cells(connection, staged_rows(staged), [Question(column, choice)])
    return tally.holds


def _judge_text(trial: Trial, reading: Reading) -> explanation.Judgement:
    formats = reading.formats
    counted = [
        (what, tally)
        for what, tally in trial.tallies.items()
        if isinstance(what, Hypothesis) and not (reading.mark_is_known and _has_other_mark(what, formats))
    ]
    if not counted:
        return explanation.text(trial.tallies[NOTHING], trial.column, replace(formats, null_tokens=True))
    best, tally = max(counted, key=lambda pair: pair[1].share)
    formats = replace(_formats_of(best, formats), null_tokens=True)
    return explanation.text(tally, trial.column, formats, best.type)


def _has_other_mark(hypothesis: Hypothesis, formats: Formats) -> bool:
    is_number = hypothesis.type in (ColumnType.INTEGER, ColumnType.DECIMAL)
    return is_number and hypothesis.formats.decimal_mark != formats.decimal_mark


def _formats_of(hypothesis: Hypothesis, formats: Formats) -> Formats:
    """Return the column's formats with those that the hypothesis is about."""
    if hypothesis.type in (ColumnType.INTEGER, ColumnType.DECIMAL):
        return replace(formats, decimal_mark=hypothesis.formats.decimal_mark)
    if hypothesis.type in (ColumnType.DATE, ColumnType.DATETIME):
        return replace(formats, date_order=hypothesis.formats.date_order)
    return formats


def _has_tokens(tally: Tally) -> bool:
    return tally.blank > 0


def _letters_are_paired(connection: DuckDBPyConnection, staged: Path, column: int) -> bool:
    """Tell whether each lone letter's partner occurs too: a column of `F` alone is a sex or a size."""
    cell = cell_name(column)
    letters = f"lower({trimmed(cell)})"
    found = connection.execute(
        f"SELECT DISTINCT {letters} FROM {staged_rows(staged)} WHERE regexp_matches({cell}, '[a-zA-Z]') "  # noqa: S608
        f"AND strlen({letters}) = 1"
    ).fetchall()
    seen = {letter for (letter,) in found}
    return all(any(letter in pair and seen.issuperset(pair) for pair in LETTER_PAIRS) for letter in seen)


def _head_values(connection: DuckDBPyConnection, column: int) -> set[str]:
    """Return the first values of a column of numbers."""
    cell = cell_name(column)
    found = connection.execute(
        f"SELECT DISTINCT trim({cell}) FROM {HEAD} "  # noqa: S608 - own SQL
        f"WHERE {cell} <> '' AND strlen({cell}) <= {_LONGEST_CODE} AND regexp_matches({cell}, '[0-9]') "
        f"LIMIT {_DISTINCT_VALUES}"
    ).fetchall()
    return {value for (value,) in found}


def _find_code(values: Collection[str], label: str, column_type: ColumnType) -> str | None:
    """Return what code a column of numbers is: judged on digits alone, not on amounts with marks."""
    # A key of 44 digits is a decimal by its size alone.
    if column_type is ColumnType.INTEGER or all(map(str.isdigit, values)):
        longest = max((sum(map(str.isdigit, value)) for value in values), default=1)
        code = find_code_in_label(label, longest)
        if code is not None:
            return code
    return find_code_in_values(values)
