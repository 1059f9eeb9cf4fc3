"""Judge all columns: each by its own cells, then by its neighbours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import DecimalMark, Formats
from managed_tables.conversion.times import DateOrder
from managed_tables.conversion.units import PERCENT
from managed_tables.documents.analyses import Inference
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import Finding, GroundCode, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference import explanation
from managed_tables_analyze.inference.evidence import LONGEST_CODE, Evidence
from managed_tables_analyze.inference.hypotheses import ChosenType, Hypothesis
from managed_tables_analyze.inference.judging import Judge, marks_of_decimals
from managed_tables_analyze.inference.marks import Reading, choose_marks
from managed_tables_analyze.inference.orders import choose_orders
from managed_tables_analyze.inference.signs.codes import find_code_in_label
from managed_tables_analyze.inference.signs.labels import names_year
from managed_tables_analyze.inference.signs.mojibake import find_mojibake
from managed_tables_analyze.inference.signs.oddities import Found, find_oddities
from managed_tables_analyze.inference.tallies import HEAD, Question, ask_columns, count_cells
from managed_tables_analyze.inference.trial import try_columns
from managed_tables_analyze.watching import watched

_SHOWN_CHARACTERS = 60  # of an example in a sentence
_COUNTED, _JUDGED, _EXPLAINED = 55, 70, 85  # percent of inferring a large file that is done by then


@dataclass(frozen=True)
class JudgedColumn:
    """What analyze says about one column of the staged object.

    `inference` says on what grounds; `findings` are its warnings; `is_proven`: every cell that is not NULL is
    known to convert; `unit` is what numbers carry, or are shown with.
    """

    type: ColumnType
    nullable: bool
    formats: Formats
    inference: Inference
    findings: list[Finding] = field(default_factory=list)
    is_proven: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Kept:
    """The decimal marks and the orders of dates that columns, by their number, had in such files before."""

    marks: Mapping[int, DecimalMark] = field(default_factory=dict)
    orders: Mapping[int, DateOrder] = field(default_factory=dict)


NOTHING_KEPT = Kept()


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
    kept: Kept = NOTHING_KEPT,
    report: Callable[[int], None] = lambda _percent: None,
) -> list[JudgedColumn]:
    """Return one judgement for each column, in order.

    `labels` are the headers as written; `names` the columns' names (by default their labels); `files` the
    names that the object's `file` indexes; `delimiter` the files', None for workbooks. `is_workbook`: a
    workbook's own numbers are among the cells; `types` are those that the files state. `timezone` applies to
    times without one. `reader_findings` are those of the files' readers; each column gets those that name it.
    `kept` is how columns were read before. `report` gets how much is done, in percent.
    """
    names = names or labels
    plain = Formats(null_tokens=True, timezone=timezone, workbook=is_workbook)
    about = [[finding for finding in reader_findings if name in finding.columns] for name in names]
    percents = [GroundCode.PERCENT in {finding.code for finding in found} for found in about]
    with watched(connection, report, 0, _COUNTED):
        trials = try_columns(connection, staged, labels, plain, percents)
    readings = choose_marks(connection, staged, trials, delimiter, kept.marks)
    readings = choose_orders(connection, staged, trials, readings, kept.orders)
    evidence = _evidence(connection, staged, readings, labels)
    judge = Judge(connection, staged, f"{datetime.now(UTC):%Y-%m-%d}", evidence, names)
    judged = [
        replace(judge.judge(trial, reading, label), reader_findings=found)
        for trial, reading, label, found in zip(trials, readings, labels, about, strict=True)
    ]
    report(_JUDGED)
    proven = [one.is_proven for one in judged]
    oddities = find_oddities(connection, staged, [one.type for one in judged], proven)
    judged = [
        _with_oddities(judge, one, found, label, files)
        for one, found, label in zip(judged, oddities, labels, strict=True)
    ]
    judged = _as_stated(connection, staged, judged, types, replace(plain, null_tokens=False))
    report(_EXPLAINED)
    exceptions = explanation.read_exceptions(connection, staged, judged, files)
    units = _units(connection, judged)
    return [
        JudgedColumn(
            one.type,
            one.nullable,
            one.formats,
            one.explained(name, cells),
            one.findings(name),
            is_proven=one.is_proven,
            unit=unit,
        )
        for one, cells, name, unit in zip(judged, exceptions, names, units, strict=True)
    ]


def _as_stated(
    connection: DuckDBPyConnection,
    staged: Path,
    judged: Sequence[explanation.Judgement],
    types: Sequence[ColumnType | None],
    formats: Formats,
) -> list[explanation.Judgement]:
    """Return the judgements with the types that the files state, where every cell has such a value."""
    stated = {column: ChosenType(kind, formats) for column, kind in enumerate(types) if kind is not None}
    tallies = count_cells(connection, staged_rows(staged), [Question(*pair) for pair in stated.items()])
    found = list(judged)
    for (column, choice), tally in zip(stated.items(), tallies, strict=True):
        if not tally.exceptions and not tally.blank:
            found[column] = explanation.stated(judged[column], tally, Hypothesis(choice.type, formats))
    return found


def named_column(ground: GroundCode, *, nullable: bool) -> JudgedColumn:
    """Return what analyze says about a column of names that it added itself."""
    judged = explanation.added(Finding(ground), nullable=nullable)
    return JudgedColumn(judged.type, nullable, judged.formats, judged.explained("", []))


def _evidence(
    connection: DuckDBPyConnection, staged: Path, readings: Sequence[Reading], labels: Sequence[str]
) -> Evidence:
    types = [None if one.hypothesis is None else one.hypothesis.type for one in readings]
    years = {column for column, label in enumerate(labels) if names_year(label)}
    return Evidence(connection, staged, types, marks_of_decimals(readings), years)


def _units(connection: DuckDBPyConnection, judged: Sequence[explanation.Judgement]) -> list[str]:
    """Return the unit of each column's numbers, of reais too, which every number may carry; "" for none."""
    plain = [place for place, one in enumerate(judged) if one.type.is_number and not one.formats.unit]
    answers = ask_columns(connection, HEAD, plain, _are_reais)
    reais = {place for place, (are_reais,) in answers.items() if are_reais}
    return [
        PERCENT
        if GroundCode.PERCENT in {ground.code for ground in one.grounds}
        else one.formats.unit or ("R$" if place in reais else "")
        for place, one in enumerate(judged)
    ]


def _are_reais(cell: str) -> list[str]:
    return [f"bool_and(contains({cell}, 'R$')) FILTER (trim({cell}) <> '')"]


def _with_oddities(
    judge: Judge,
    judged: explanation.Judgement,
    oddities: dict[WarningCode, Found],
    label: str,
    files: Sequence[str],
) -> explanation.Judgement:
    """Add findings about odd cells; shortened numbers become text if the label names a code."""
    for code, found in oddities.items():
        values = {"example": _example(code, found.example)}
        if code is WarningCode.TWO_DIGIT_YEARS:
            values["day"] = judge.value_of(found.example, judged)
        file = None if found.file is None else files[found.file]
        warning = Finding(code, values, found.count, found.lines, file=file, sheet=found.sheet)
        if code is WarningCode.SHORTENED_NUMBERS:
            judged = explanation.shortened(judged, warning, find_code_in_label(label, LONGEST_CODE))
        else:
            judged = explanation.warned(judged, warning)
    word = find_mojibake(label)
    if word is not None and WarningCode.MOJIBAKE not in oddities:
        judged = explanation.warned(judged, Finding(WarningCode.MOJIBAKE, {"example": word}, count=1))
    return judged


def _example(code: WarningCode, cell: str) -> str:
    """Return the first odd cell as shown, with the blanks around it if these are the oddity."""
    if code is WarningCode.SURROUNDING_BLANKS:
        return cell.replace("\n", " ").replace("\t", " ")[:_SHOWN_CHARACTERS]
    shown = find_mojibake(cell) if code is WarningCode.MOJIBAKE else None
    return (shown or cell.strip())[:_SHOWN_CHARACTERS]
