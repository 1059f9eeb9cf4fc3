"""Explain a column to people: grounds, exceptions, warnings, alternatives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats
from managed_tables.conversion.reasons import explain
from managed_tables.conversion.units import PERCENT
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_VALUE_CHARACTERS
from managed_tables.documents.analyses import Alternative, FileWarning, Inference, InferenceException
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.messages.finding_texts import write_text, write_texts
from managed_tables.messages.findings import Finding, GroundCode, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.hypotheses import Hypothesis
from managed_tables_analyze.inference.tallies import CellTally, Question, cell_name, find_exceptions

_SURE, _LABELLED, _DOUBTFUL = 1.0, 0.9, 0.5  # confidence: every cell fits; by its label; a guess was needed
_WARNED = 0.9  # with a warning that some value may mean something else
_FEW_VALUES = 3  # of a type, which may fit it by chance
_FEW = 0.8
_WORTH_EXPLAINING = 0.5
_EXCEPTIONS_PER_SCAN = 60


@dataclass(frozen=True)
class Judgement:
    """A column's type with what explains it; `lead` is what most cells of a column of text are.

    `proven` is the hypothesis that every cell except NULL meets. `grounds` are shown in one line, then
    `notes`. `reader_findings` are those of the file's reader about the column: warnings that the job already
    has, and grounds.
    """

    column: int
    type: ColumnType
    nullable: bool
    formats: Formats
    confidence: float
    grounds: list[Finding]
    notes: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    lead: Hypothesis | None = None
    proven: Hypothesis | None = None
    reader_findings: list[Finding] = field(default_factory=list)

    @property
    def is_proven(self) -> bool:
        """Whether every cell that is not NULL is known to convert to the type under the formats."""
        if self.proven is None or self.proven.type is not self.type:
            return False
        return self.proven.converts("cell") == Hypothesis(self.type, self.formats).converts("cell")

    def findings(self, name: str) -> list[Finding]:
        """Return the column's warnings, which name it."""
        return [replace(warning, columns=(name,)) for warning in self.warnings]

    def explained(self, name: str, exceptions: list[InferenceException]) -> Inference:
        """Return the schema's `inference` object."""
        known = [one for one in self.reader_findings if isinstance(one.code, WarningCode)]
        warnings = known + self.findings(name)
        is_doubtful = any(warning.may_change_a_value for warning in warnings)
        evidence = [write_texts(self.grounds), *map(write_text, self.notes)]
        return Inference(
            confidence=min(self.confidence, _WARNED) if is_doubtful else self.confidence,
            evidence="; ".join(evidence),
            exceptions=exceptions,
            warnings=list(map(FileWarning.of, warnings)),
            alternatives=self.alternatives,
        )


def typed(
    tally: CellTally, column: int, formats: Formats, column_type: ColumnType, doubt: Finding | None = None
) -> Judgement:
    """Explain a column whose cells all convert; `doubt` is the finding about another way to read them."""
    grounds, notes = [_share(tally, column_type)], []
    if column_type.is_time:
        grounds.append(Finding(GroundCode.DATE_ORDER, {"order": formats.date_order}))
    if column_type is ColumnType.DECIMAL:
        grounds.append(Finding(GroundCode.DECIMAL_MARK, {"mark": formats.decimal_mark}))
    if formats.unit:
        code = GroundCode.PERCENT if formats.unit == PERCENT else GroundCode.UNIT
        grounds.append(Finding(code, {"name": formats.unit}))
    if tally.blank:
        notes.append(Finding(GroundCode.NULL_TOKENS, count=tally.blank))
    nullable = tally.empty + tally.blank > 0
    confidence = _SURE if tally.fits >= _FEW_VALUES else _FEW
    judged = Judgement(column, column_type, nullable, formats, confidence, grounds, notes)
    return judged if doubt is None else replace(judged, warnings=[doubt], confidence=_DOUBTFUL)


def percentage(tally: CellTally, column: int, formats: Formats) -> Judgement:
    """Explain a column of numbers that a workbook shows as percentages: decimals, whole ones too."""
    judged = typed(tally, column, formats, ColumnType.DECIMAL)
    if formats.unit:
        return judged
    return replace(judged, grounds=[*judged.grounds, Finding(GroundCode.PERCENT)])


def or_else(judged: Judgement, column_type: ColumnType, reason: GroundCode) -> Judgement:
    """Add another type that a person may choose."""
    other = Alternative(type=column_type, reason=write_text(Finding(reason)))
    return replace(judged, alternatives=[*judged.alternatives, other])


def code(
    tally: CellTally, column: int, formats: Formats, read_as: ColumnType, name: str, cut: str | None
) -> Judgement:
    """Explain a column of digits that names something; `cut` is a value that has lost its leading zeros."""
    warnings = [] if cut is None else [Finding(WarningCode.ZEROS_LOST, {"name": name, "example": cut})]
    grounds = [_share(tally, read_as), Finding(GroundCode.CODE, {"name": name}, count=tally.fits)]
    judged = Judgement(
        column, ColumnType.TEXT, tally.empty > 0, formats, _LABELLED, grounds, warnings=warnings
    )
    return or_else(judged, read_as, GroundCode.ALL_NUMBERS)


def shortened(judged: Judgement, warning: Finding, code_name: str | None) -> Judgement:
    """Add the warning that some numbers were shortened; decimals whose label names a code become text."""
    doubtful = replace(
        judged, warnings=[*judged.warnings, warning], confidence=min(judged.confidence, _DOUBTFUL)
    )
    if code_name is None or judged.type is not ColumnType.DECIMAL:
        return doubtful
    grounds = [*judged.grounds, Finding(GroundCode.CODE, {"name": code_name})]
    text = replace(doubtful, type=ColumnType.TEXT, grounds=grounds, alternatives=[])
    return or_else(text, judged.type, GroundCode.ALL_NUMBERS)


def warned(judged: Judgement, warning: Finding) -> Judgement:
    """Add a warning."""
    return replace(judged, warnings=[*judged.warnings, warning])


def not_a_number(
    tally: CellTally, column: int, formats: Formats, read_as: ColumnType, ground: Finding
) -> Judgement:
    """Explain a column of numbers whose writing shows that they are not quantities."""
    grounds = [_share(tally, read_as), ground]
    judged = Judgement(column, ColumnType.TEXT, tally.empty > 0, formats, _LABELLED, grounds)
    return or_else(judged, read_as, GroundCode.ALL_NUMBERS)


def warned_of_months(judged: Judgement, example: str, day: str) -> Judgement:
    """Add the warning that months without a day are read as their first day."""
    return warned(judged, Finding(WarningCode.MONTHS_AS_DATES, {"example": example.strip(), "day": day}))


def follows_order(judged: Judgement, example: str, days: tuple[str, str], proof: str) -> Judgement:
    """Add the warning that another column, `proof`, decided the order of day and month."""
    values = {
        "example": example.strip(),
        "day": days[0],
        "other_day": days[1],
        "proof": proof,
        "order": judged.formats.date_order,
    }
    warning = Finding(WarningCode.AMBIGUOUS_DATES, values)
    return replace(warned(judged, warning), confidence=min(judged.confidence, _DOUBTFUL))


def of_units(judged: Judgement, units: Sequence[str]) -> Judgement:
    """Explain why numbers with units stay text: not all have a unit, or the same one, or a known one."""
    names = [unit for unit in units if unit]
    if len(names) < len(units):
        code = GroundCode.SOME_UNITS
    else:
        code = GroundCode.MIXED_UNITS if len(names) > 1 else GroundCode.UNKNOWN_UNIT
    return replace(judged, grounds=[Finding(code, {"names": names})])


def leading_zeros(judged: Judgement, example: str) -> Judgement:
    """Explain why whole numbers stay text: some begin with zeros, which a number would lose."""
    grounds = [Finding(GroundCode.LEADING_ZEROS, {"example": example.strip()})]
    return replace(judged, grounds=grounds, confidence=_SURE)


def lone_letters(tally: CellTally, column: int, formats: Formats) -> Judgement:
    """Explain a column of letters that would be booleans if the other letter of the pair occurred, too."""
    grounds = [Finding(GroundCode.LONE_LETTERS)]
    judged = Judgement(column, ColumnType.TEXT, tally.empty > 0, formats, _LABELLED, grounds)
    return or_else(judged, ColumnType.BOOLEAN, GroundCode.LETTERS)


def text(tally: CellTally, column: int, formats: Formats, lead: Hypothesis | None = None) -> Judgement:
    """Explain a column of text; `lead` is what most of its cells are, `tally` counts them."""
    nullable = tally.empty > 0
    if tally.judged == 0:
        nothing = [Finding(GroundCode.NO_VALUES)]
        formats = replace(formats, text_tokens=tally.blank > 0)
        return Judgement(column, ColumnType.TEXT, nullable or tally.blank > 0, formats, _DOUBTFUL, nothing)
    if lead is None or tally.share < _WORTH_EXPLAINING:
        grounds = [Finding(GroundCode.NO_COMMON_TYPE)]
        return Judgement(column, ColumnType.TEXT, nullable, formats, _SURE, grounds)
    misfits = Finding(GroundCode.MISFITS, {"type": lead.type}, count=tally.exceptions)
    return Judgement(
        column=column,
        type=ColumnType.TEXT,
        nullable=nullable,
        formats=formats,
        confidence=_DOUBTFUL,
        grounds=[_share(tally, lead.type)],
        alternatives=[Alternative(type=lead.type, reason=write_text(misfits))],
        lead=lead,
    )


def stated(judged: Judgement, tally: CellTally, found: Hypothesis) -> Judgement:
    """Explain a column whose type its file states; the zone of its times is told, too."""
    return Judgement(
        judged.column,
        found.type,
        tally.empty > 0,
        found.formats,
        _SURE,
        [Finding(GroundCode.STATED, {"type": found.type})],
        [note for note in judged.notes if judged.type is found.type and note.code is GroundCode.ZONE_TAKEN],
        proven=found if tally.is_proof else None,
        reader_findings=judged.reader_findings,
    )


def added(ground: Finding, *, nullable: bool) -> Judgement:
    """Explain a column of text that is in no file."""
    return Judgement(0, ColumnType.TEXT, nullable, Formats(), _SURE, [ground])


def read_exceptions(
    connection: DuckDBPyConnection, staged: Path, judged: Sequence[Judgement], files: Sequence[str]
) -> list[list[InferenceException]]:
    """Return each column's exceptions, in the order of the rows."""
    found: list[list[InferenceException]] = [[] for _ in judged]
    led = [(one, one.lead) for one in judged if one.lead is not None]
    questions = [Question(one.column, lead) for one, lead in led]
    first = find_exceptions(connection, staged_rows(staged), questions)
    asked = [(one, lead, rows) for (one, lead), rows in zip(led, first, strict=True) if rows]
    for start in range(0, len(asked), _EXCEPTIONS_PER_SCAN):
        for (one, lead, _), place, value in _shown(connection, staged, asked[start:][:_EXCEPTIONS_PER_SCAN]):
            file, sheet, line = place
            reason = explain(value, lead.type, one.formats).reason
            found[one.column].append(
                InferenceException(file=files[file], sheet=sheet, line=line, value=value, reason=reason)
            )
    return found


_Asked = tuple[Judgement, Hypothesis, Sequence[int]]
"""A column, what most of its cells are, and the numbers of rows that are not."""


def _shown(
    connection: DuckDBPyConnection, staged: Path, asked: Sequence[_Asked]
) -> Iterator[tuple[_Asked, tuple[int, str | None, int], str]]:
    """Yield the exceptions of some columns, in the order of the rows: file, sheet and line, and the value."""
    cells = ", ".join(
        f"left({unmarked(cell_name(one.column))}, {MAX_VALUE_CHARACTERS})" for one, _, _ in asked
    )
    numbers = ", ".join(map(str, sorted({row for _, _, rows in asked for row in rows})))
    shown = connection.execute(
        f"SELECT {ROW_NUMBER}, file, sheet, line, {cells} FROM {staged_rows(staged)} "  # noqa: S608
        f"WHERE {ROW_NUMBER} IN ({numbers}) ORDER BY {ROW_NUMBER}"
    ).fetchall()
    for number, file, sheet, line, *values in shown:
        for one, value in zip(asked, values, strict=True):
            if number in one[2]:
                yield one, (file, sheet, line), value


def _share(tally: CellTally, column_type: ColumnType) -> Finding:
    return Finding(GroundCode.CELLS_FIT, {"fits": tally.fits, "type": column_type}, count=tally.judged)
