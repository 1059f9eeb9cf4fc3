"""Explain a column to people: grounds, exceptions, warnings, alternatives."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats
from managed_tables.conversion.reasons import explain
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_VALUE_CHARACTERS
from managed_tables.documents.analyses import Alternative, FileWarning, Inference, InferenceException
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.messages.finding_texts import write_text
from managed_tables.messages.findings import WARNING_CODES, Finding, GroundCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.tallies import cell_name, find_exceptions
from managed_tables_analyze.inference.trial import Hypothesis

SURE, LABELLED, DOUBTFUL = 1.0, 0.9, 0.5  # confidence: every cell fits; by its label; a guess was needed
_WARNED = 0.9  # with a warning that some value may mean something else
_EXCEPTIONS_PER_SCAN = 60


@dataclass
class JudgedColumn:
    """What analyze says about one column of the staged object, and why.

    `grounds` are shown in one line, then `notes`; `warnings` are the column's own, `reader_findings` those of
    the file's reader about it: warnings that the job already has, and grounds. `lead` is what most cells of a
    column of text are, which `exceptions` are not; `proven` is the hypothesis that every cell except NULL
    meets; `unit` is what numbers carry, or are shown with.
    """

    name: str
    type: ColumnType
    nullable: bool
    formats: Formats
    confidence: float
    grounds: list[Finding]
    notes: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    lead: Hypothesis | None = None
    exceptions: list[InferenceException] = field(default_factory=list)
    proven: Hypothesis | None = None
    reader_findings: list[Finding] = field(default_factory=list)
    unit: str = ""

    def or_else(self, column_type: ColumnType, reason: GroundCode) -> "JudgedColumn":
        """Add another type that a person may choose."""
        self.alternatives.append(Alternative(type=column_type, reason=write_text(Finding(reason))))
        return self

    def doubt(self, warning: Finding) -> None:
        """Add the warning that the column may be something else."""
        self.warnings.append(warning)
        self.confidence = min(self.confidence, DOUBTFUL)

    @property
    def is_proven(self) -> bool:
        """Whether every cell that is not NULL is known to convert to the type under the formats."""
        if self.proven is None or self.proven.type is not self.type:
            return False
        own = Hypothesis(self.type, self.formats)
        return self.proven.conversion("cell").converts == own.conversion("cell").converts

    @property
    def findings(self) -> list[Finding]:
        """The column's warnings, which name it."""
        return [replace(warning, columns=(self.name,)) for warning in self.warnings]

    @property
    def inference(self) -> Inference:
        """The schema's `inference` object."""
        known = [one for one in self.reader_findings if one.code in WARNING_CODES]
        warnings = known + self.findings
        is_doubtful = any(warning.may_change_a_value for warning in warnings)
        return Inference(
            confidence=min(self.confidence, _WARNED) if is_doubtful else self.confidence,
            evidence="; ".join([", ".join(map(write_text, self.grounds)), *map(write_text, self.notes)]),
            exceptions=self.exceptions,
            warnings=list(map(FileWarning.of, warnings)),
            alternatives=self.alternatives,
        )


def add_exceptions(
    connection: DuckDBPyConnection, staged: Path, judged: Sequence[JudgedColumn], files: Sequence[str]
) -> None:
    """Give each column of text its first exceptions, in the order of the rows."""
    led = [(number, one.lead) for number, one in enumerate(judged) if one.lead is not None]
    first = find_exceptions(connection, staged_rows(staged), led)
    asked = [(*of, rows) for of, rows in zip(led, first, strict=True) if rows]
    for start in range(0, len(asked), _EXCEPTIONS_PER_SCAN):
        batch = asked[start : start + _EXCEPTIONS_PER_SCAN]
        cells = (f"left({unmarked(cell_name(number))}, {MAX_VALUE_CHARACTERS})" for number, _, _ in batch)
        numbers = ", ".join(map(str, sorted({row for _, _, rows in batch for row in rows})))
        shown = connection.execute(
            f"SELECT {ROW_NUMBER}, file, sheet, line, {', '.join(cells)} FROM {staged_rows(staged)} "  # noqa: S608
            f"WHERE {ROW_NUMBER} IN ({numbers}) ORDER BY {ROW_NUMBER}"
        ).fetchall()
        for row, file, sheet, line, *values in shown:
            for (number, lead, rows), value in zip(batch, values, strict=True):
                if row in rows:
                    one, place = judged[number], {"file": files[file], "sheet": sheet, "line": line}
                    reason = explain(value, lead.type, one.formats).reason
                    one.exceptions.append(InferenceException(**place, value=value, reason=reason))
