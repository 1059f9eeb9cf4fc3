"""Owns what people are told of a column: evidence, exceptions, warnings, alternatives, in Portuguese."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion import Formats, explain
from managed_tables.schema import ColumnType
from managed_tables.wording import counted
from managed_tables.wording import number as written
from managed_tables_analyze.inference.counting import ROW_NUMBER, Tally, cell_name, staged_rows
from managed_tables_analyze.inference.marks import Reading

SHOWN_CHARACTERS = 200  # of a cell in an exception
_SURE, _LABELLED, _DOUBTFUL = 1.0, 0.9, 0.5  # confidence: every cell fits; by its label; a guess was needed
_FEW_VALUES = 3  # that fit a type by chance
_FEW = 0.8
_WORTH_EXPLAINING = 0.5
_EXCEPTIONS_PER_SCAN = 60

_ADJECTIVES = {
    ColumnType.TEXT: "textos",
    ColumnType.INTEGER: "números inteiros",
    ColumnType.DECIMAL: "números decimais",
    ColumnType.BOOLEAN: "sim/não",
    ColumnType.DATE: "datas",
    ColumnType.DATETIME: "datas com hora",
}
_ONE = {
    ColumnType.TEXT: "texto",
    ColumnType.INTEGER: "número inteiro",
    ColumnType.DECIMAL: "número decimal",
    ColumnType.BOOLEAN: "sim/não",
    ColumnType.DATE: "data",
    ColumnType.DATETIME: "data com hora",
}
_MARKS = {",": "vírgula", ".": "ponto"}
_ORDERS = {"dmy": "dia/mês/ano", "mdy": "mês/dia/ano", "ymd": "ano-mês-dia"}


@dataclass(frozen=True)
class Judgement:
    """A column's type with what explains it; `exception_rows` are row numbers of the staged object."""

    column: int
    type: ColumnType
    nullable: bool
    formats: Formats
    confidence: float
    evidence: str
    warnings: list[str] = field(default_factory=list)
    alternatives: list[dict[str, Any]] = field(default_factory=list)
    exception_rows: tuple[int, ...] = ()
    lead: ColumnType | None = None

    def as_record(self, exceptions: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the schema's `inference` object."""
        return {
            "confidence": self.confidence,
            "evidence": self.evidence,
            "exceptions": list(exceptions),
            "warnings": self.warnings,
            "alternatives": self.alternatives,
        }


def typed(
    tally: Tally, column: int, formats: Formats, column_type: ColumnType, reading: Reading
) -> Judgement:
    """Explain a column all of whose cells fit a type."""
    evidence, confidence = _share(tally, column_type), _SURE if tally.fits >= _FEW_VALUES else _FEW
    warnings, alternatives = [], []
    if reading.alternative is not None:
        mark = _MARKS[formats.decimal_mark]
        warnings.append(
            f"Os números desta coluna podem ser lidos de dois modos; a decisão foi por {reading.doubt}: "
            f"{mark} como separador decimal"
        )
        alternatives.append(
            {"type": reading.alternative.type, "reason": "o mesmo sinal pode separar milhares ou decimais"}
        )
        confidence = _DOUBTFUL
    if column_type in (ColumnType.DATE, ColumnType.DATETIME):
        evidence += f", na ordem {_ORDERS[formats.date_order]}"
    if column_type is ColumnType.DECIMAL:
        evidence += f", com {_MARKS[formats.decimal_mark]} decimal"
    if tally.blank:
        evidence += f"; {written(tally.blank)} sem valor (brancos, NULL, N/A ou -)"
    nullable = tally.empty + tally.blank > 0
    return Judgement(column, column_type, nullable, formats, confidence, evidence, warnings, alternatives)


def maybe_days(judged: Judgement) -> Judgement:
    """Add that a column of numbers of eight digits may be one of dates."""
    days = {"type": ColumnType.DATE, "reason": "todos os valores podem ser datas, no formato aaaammdd"}
    return replace(judged, alternatives=[*judged.alternatives, days])


def code(
    tally: Tally, column: int, formats: Formats, read_as: ColumnType, name: str, cut: str | None
) -> Judgement:
    """Explain a column of digits that names something; `cut` is a value that has lost its first zeros."""
    warnings = []
    if cut is not None:
        warnings.append(
            f"Há valores com menos algarismos que um {name} (como {cut}): os zeros do começo podem ter se "
            "perdido antes do envio"
        )
    evidence = f"{_share(tally, read_as)}, mas {_codes(tally)} ({name}), e não {_quantities(tally)}"
    other = [{"type": read_as, "reason": "todos os valores são números"}]
    return Judgement(
        column, ColumnType.TEXT, tally.empty > 0, formats, _LABELLED, evidence, warnings, alternatives=other
    )


def shortened(judged: Judgement, warning: str, code_name: str | None) -> Judgement:
    """Add the warning that some numbers were shortened; as codes, named by their label, they are text."""
    warnings = [*judged.warnings, warning]
    if code_name is None or judged.type is not ColumnType.DECIMAL:
        return replace(judged, warnings=warnings, confidence=min(judged.confidence, _DOUBTFUL))
    other = [{"type": judged.type, "reason": "todos os valores são números"}]
    evidence = f"{judged.evidence}, mas são códigos ({code_name}), e não quantidades"
    return replace(
        judged,
        type=ColumnType.TEXT,
        evidence=evidence,
        warnings=warnings,
        alternatives=other,
        confidence=_DOUBTFUL,
    )


def lone_letters(tally: Tally, column: int, formats: Formats) -> Judgement:
    """Explain a column of letters that would be yes or no, were the other letter of the pair there."""
    evidence = "só uma letra do par (s/n, t/f, y/n) aparece: pode ser um sexo, um tamanho ou uma sigla"
    other = [{"type": ColumnType.BOOLEAN, "reason": "a letra pode significar sim ou não"}]
    return Judgement(
        column, ColumnType.TEXT, tally.empty > 0, formats, _LABELLED, evidence, alternatives=other
    )


def text(tally: Tally, column: int, formats: Formats, lead: ColumnType | None = None) -> Judgement:
    """Explain a column of text; `lead` is the type that most of its cells fit, `tally` counts them."""
    nullable = tally.empty > 0
    if tally.judged == 0:
        return Judgement(column, ColumnType.TEXT, nullable, formats, _DOUBTFUL, "a coluna não tem valores")
    if lead is None or tally.share < _WORTH_EXPLAINING:
        evidence = "os valores não têm outro tipo em comum"
        return Judgement(column, ColumnType.TEXT, nullable, formats, _SURE, evidence)
    misfits = counted(tally.exceptions, "valor não é", "valores não são")
    reason = f"{misfits} {_ONE[lead] if tally.exceptions == 1 else _ADJECTIVES[lead]}"
    return Judgement(
        column=column,
        type=ColumnType.TEXT,
        nullable=nullable,
        formats=formats,
        confidence=_DOUBTFUL,
        evidence=_share(tally, lead),
        alternatives=[{"type": lead, "reason": reason}],
        exception_rows=tally.first_exceptions,
        lead=lead,
    )


def read_exceptions(
    connection: DuckDBPyConnection, staged: Path, judged: Sequence[Judgement], files: Sequence[str]
) -> list[list[dict[str, Any]]]:
    """Return each column's exceptions: file, sheet, line, value and reason, in the order of the rows."""
    found: list[list[dict[str, Any]]] = [[] for _ in judged]
    asked = [one for one in judged if one.exception_rows]
    for start in range(0, len(asked), _EXCEPTIONS_PER_SCAN):
        batch = asked[start : start + _EXCEPTIONS_PER_SCAN]
        cells = ", ".join(f"left({cell_name(one.column)}, {SHOWN_CHARACTERS})" for one in batch)
        numbers = ", ".join(map(str, sorted({row for one in batch for row in one.exception_rows})))
        rows = connection.execute(
            f"SELECT {ROW_NUMBER}, file, sheet, line, {cells} FROM {staged_rows(staged)} "  # noqa: S608
            f"WHERE {ROW_NUMBER} IN ({numbers}) ORDER BY {ROW_NUMBER}"
        ).fetchall()
        for number, file, sheet, line, *values in rows:
            for one, value in zip(batch, values, strict=True):
                if number in one.exception_rows and one.lead is not None:
                    place = {"file": files[file], "sheet": sheet, "line": line}
                    reason = explain(value, one.lead, one.formats).reason
                    found[one.column].append({**place, "value": value, "reason": reason})
    return found


def _codes(tally: Tally) -> str:
    return "é um código" if tally.fits == 1 else "são códigos"


def _quantities(tally: Tally) -> str:
    return "uma quantidade" if tally.fits == 1 else "quantidades"


def _share(tally: Tally, column_type: ColumnType) -> str:
    kind = f"é {_ONE[column_type]}" if tally.fits == 1 else f"são {_ADJECTIVES[column_type]}"
    return f"{written(tally.fits)} de {written(tally.judged)} {kind}"
