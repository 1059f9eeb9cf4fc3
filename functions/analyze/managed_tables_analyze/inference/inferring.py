"""Judge all columns: each by its own cells, then by its neighbours."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats
from managed_tables.conversion.numbers import PERCENT
from managed_tables.documents.recipes import FormerColumn
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import Finding, GroundCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.evidence import Evidence
from managed_tables_analyze.inference.explanation import SURE, JudgedColumn, add_exceptions
from managed_tables_analyze.inference.judging import Judge
from managed_tables_analyze.inference.marks import choose_marks, choose_orders
from managed_tables_analyze.inference.oddities import find_oddities
from managed_tables_analyze.inference.tallies import HEAD, Cells, Hypothesis
from managed_tables_analyze.inference.trial import Trial, try_columns
from managed_tables_analyze.watching import watched

_COUNTED, _JUDGED, _EXPLAINED = 55, 70, 85  # percent of inferring a large file that is done by then


def infer_columns(
    connection: DuckDBPyConnection,
    staged: Path,
    labels: Sequence[str],
    files: Sequence[str],
    *,
    names: Sequence[str] = (),
    delimiter: str | None = None,
    is_workbook: bool = False,
    types: Sequence[ColumnType | None] = (),
    timezone: str = "UTC",
    reader_findings: Sequence[Finding] = (),
    former_columns: Sequence[FormerColumn | None] = (),
    report: Callable[[int], None] = lambda _percent: None,
) -> list[JudgedColumn]:
    """Return one judgement for each column, in order.

    `labels` are the headers as written; `names` the columns' names (by default their labels); `files` the
    names that the object's `file` indexes; `delimiter` the files', None for workbooks. `is_workbook`: a
    workbook's own numbers are among the cells; `types` are those that the files state. `timezone` applies to
    times without one. `reader_findings` are those of the files' readers; each column gets those that name it.
    `former_columns` say how each was read before. `report` gets how much is done, in percent.
    """
    names = names or labels
    plain = Formats(null_tokens=True, timezone=timezone, workbook=is_workbook)
    about = [[finding for finding in reader_findings if name in finding.columns] for name in names]
    unknown = [None] * len(labels)
    trials = [
        Trial(column, label, name, plain, _is_percent(about[column]), before)
        for column, (label, name, before) in enumerate(
            zip(labels, names, former_columns or unknown, strict=True)
        )
    ]
    head, rows = Cells(connection, HEAD), Cells(connection, staged_rows(staged))
    with watched(connection, report, 0, _COUNTED):
        try_columns(head, rows, trials)
    choose_marks(rows, trials, delimiter)
    choose_orders(rows, trials)
    judge = Judge(Evidence(head, rows, trials), f"{datetime.now(UTC):%Y-%m-%d}")
    judged = list(map(judge.judge, trials))
    report(_JUDGED)
    oddities = find_oddities(rows, [(one.type, one.is_proven) for one in judged], files)
    for trial, one, findings in zip(trials, judged, about, strict=True):
        judge.add_oddities(trial, one, oddities[trial.column])
        one.reader_findings = findings
    _take_stated_types(rows, judged, types, replace(plain, null_tokens=False))
    report(_EXPLAINED)
    add_exceptions(rows, judged, files)
    _add_units(head, judged)
    return judged


def _is_percent(findings: Sequence[Finding]) -> bool:
    return any(finding.code == "PERCENT" for finding in findings)


def _take_stated_types(
    rows: Cells, judged: list[JudgedColumn], types: Sequence[ColumnType | None], formats: Formats
) -> None:
    """Give the columns the types that the files state, where every cell has such a value."""
    stated = [
        (column, Hypothesis(kind, formats, shape=None))
        for column, kind in enumerate(types)
        if kind is not None
    ]
    tallies = rows.count(stated)
    for (column, choice), tally in zip(stated, tallies, strict=True):
        if tally.exceptions or tally.blank:
            continue
        before, ground = judged[column], Finding("STATED", {"type": choice.type})
        found = JudgedColumn(before.name, choice.type, tally.empty > 0, formats, SURE, [ground])
        if before.type is choice.type:
            found.notes = [note for note in before.notes if note.code == "ZONE_TAKEN"]
        found.proven = Hypothesis(choice.type, formats) if tally.is_proof else None
        found.reader_findings = before.reader_findings
        judged[column] = found


def named_column(ground: GroundCode, *, nullable: bool) -> JudgedColumn:
    """Return what analyze says about a column of names that it added itself."""
    return JudgedColumn("", ColumnType.TEXT, nullable, Formats(), SURE, [Finding(ground)])


def _add_units(head: Cells, judged: Sequence[JudgedColumn]) -> None:
    """Note the unit of each column's numbers, of reais too, which every number may carry."""
    plain = [place for place, one in enumerate(judged) if one.type.is_number and not one.formats.unit]
    reais = head.columns_where(plain, _are_reais)
    for place, one in enumerate(judged):
        is_percent = _is_percent(one.grounds)
        one.unit = PERCENT if is_percent else one.formats.unit or ("R$" if place in reais else "")


def _are_reais(cell: str) -> str:
    return f"bool_and(contains({cell}, 'R$')) FILTER (trim({cell}) <> '')"
