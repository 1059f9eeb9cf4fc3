"""Explain a column to people: grounds, exceptions, warnings, alternatives."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from managed_tables.conversion.columns import Formats, explain
from managed_tables.documents.analyses import (
    Alternative,
    FileWarning,
    Inference,
    InferenceException,
    OrderSign,
)
from managed_tables.messages.findings import WARNING_CODES, Finding, GroundCode
from managed_tables.messages.sentences import write_text
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.tallies import Cells, Hypothesis

SURE, LABELLED, DOUBTFUL = 1.0, 0.9, 0.5  # confidence: every cell fits; by its label; a guess was needed
_WARNED = 0.9  # with a warning that some value may mean something else


@dataclass
class JudgedColumn:
    """What analyze says about one column of the staged object, and why."""

    name: str
    type: ColumnType
    nullable: bool
    formats: Formats
    confidence: float
    grounds: list[Finding]  # shown in one line
    notes: list[Finding] = field(default_factory=list)  # shown after the grounds
    warnings: list[Finding] = field(default_factory=list)  # the column's own
    alternatives: list[Alternative] = field(default_factory=list)
    lead: Hypothesis | None = None  # what most cells of a column of text are
    exceptions: list[InferenceException] = field(default_factory=list)  # which are not so
    proven: Hypothesis | None = None  # what every cell except NULL is
    reader_findings: list[Finding] = field(default_factory=list)  # warnings that the job has, and grounds
    order_shown_by: list[OrderSign] | None = None  # of days and months, where they have an order
    mark_shown: bool = False  # of decimals: the cells allow one mark alone
    unit: str = ""  # which numbers carry, or are shown with

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
    def has_no_errors(self) -> bool:
        """Whether no cell holds an error value, as is known: in a text that is kept, it is a text."""
        return self.is_proven or (self.type is ColumnType.TEXT and self.formats.keeps_texts)

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


def add_exceptions(rows: Cells, judged: Sequence[JudgedColumn], files: Sequence[str]) -> None:
    """Give each column of text its first exceptions, in the order of the rows."""
    led = [(number, one.lead) for number, one in enumerate(judged) if one.lead is not None]
    for (number, lead), cells in zip(led, rows.find_exceptions(led), strict=True):
        one = judged[number]
        for cell in cells:
            reason = explain(cell["value"] or "", lead.type, one.formats).reason
            place = cell | {"file": files[cell["file"]]}
            one.exceptions.append(InferenceException.read({**place, "reason": reason}))
