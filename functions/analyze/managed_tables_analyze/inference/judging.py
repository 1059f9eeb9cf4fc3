"""Judge one column from its trial and its neighbours' readings: type, formats and grounds."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import DecimalMark, Formats
from managed_tables.conversion.sql_text import matches, trimmed
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.conversion.units import is_known_unit
from managed_tables.conversion.workbook_cells import TEXT_SIGN
from managed_tables.messages.findings import Finding, GroundCode, WarningCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference import explanation
from managed_tables_analyze.inference.evidence import LONGEST_CODE, Evidence
from managed_tables_analyze.inference.hypotheses import Hypothesis
from managed_tables_analyze.inference.marks import Reading, describe_doubt
from managed_tables_analyze.inference.signs.codes import (
    Writing,
    find_code_in_label,
    find_code_in_values,
    find_code_in_writing,
    find_cut_code,
    is_cut_code,
    is_whole_code,
    lengths_of,
)
from managed_tables_analyze.inference.signs.labels import names_birth
from managed_tables_analyze.inference.signs.oddities import find_example
from managed_tables_analyze.inference.trial import NOTHING, Trial

_IS_AMOUNT = re.compile(r".*(?:\$|[.,][0-9]{3}[.,]).*")


@dataclass(frozen=True)
class Judge:
    """Judges the columns of one staged object; `today` is the latest possible day of birth."""

    connection: DuckDBPyConnection
    staged: Path
    today: str
    evidence: Evidence
    names: Sequence[str] = ()

    def judge(self, trial: Trial, reading: Reading, label: str) -> explanation.Judgement:
        """Return the judgement of a column, by its trial, its reading and its label."""
        if reading.hypothesis is None:
            return self._judge_text(trial, reading, label)
        tally = trial.tallies[reading.hypothesis]
        judged = self._judge_typed(trial, reading, reading.hypothesis, label)
        return replace(judged, proven=reading.hypothesis) if tally.is_proof else judged

    def _judge_typed(
        self, trial: Trial, reading: Reading, chosen: Hypothesis, label: str
    ) -> explanation.Judgement:
        tally = trial.tallies[chosen]
        formats = replace(reading.formats, null_tokens=tally.blank > 0)
        if chosen.type is ColumnType.BOOLEAN and trial.column in self.evidence.lone_letters:
            return explanation.lone_letters(tally, trial.column, formats)
        if chosen.type.is_number:
            return self._judge_number(trial, reading, chosen, formats, label)
        if chosen.type.is_time:
            return self._judge_date(trial, reading, chosen, formats, label)
        return explanation.typed(tally, trial.column, formats, chosen.type)

    def _judge_number(
        self, trial: Trial, reading: Reading, chosen: Hypothesis, formats: Formats, label: str
    ) -> explanation.Judgement:
        tally = trial.tallies[chosen]
        values = self.evidence.head_values.get(trial.column, [])
        code = None if formats.unit else _find_code(values, label)
        if code is not None:
            cut = find_cut_code(code, values)
            return explanation.code(tally, trial.column, formats, chosen.type, code, cut)
        written = find_code_in_writing(self.evidence.writing.get(trial.column, Writing()), label)
        if written is not None:
            return explanation.not_a_number(tally, trial.column, formats, chosen.type, written)
        note = self.evidence.notes.get(trial.column)
        if note is not None:
            ground = Finding(GroundCode.PARENTHESES, {"example": note})
            return explanation.not_a_number(tally, trial.column, formats, chosen.type, ground)
        return self._judge_quantity(trial, reading, chosen, formats)

    def _judge_quantity(
        self, trial: Trial, reading: Reading, chosen: Hypothesis, formats: Formats
    ) -> explanation.Judgement:
        tally = trial.tallies[chosen]
        if trial.is_percent:
            return explanation.percentage(tally, trial.column, formats)
        if reading.doubt is not None and reading.alternative is not None:
            doubt = describe_doubt(reading, self._example_of_mark(trial.column, formats))
            judged = explanation.typed(tally, trial.column, formats, chosen.type, doubt)
            return explanation.or_else(judged, reading.alternative.type, GroundCode.OTHER_MARK)
        judged = explanation.typed(tally, trial.column, formats, chosen.type)
        if trial.column in self.evidence.compact_days:
            return explanation.or_else(judged, ColumnType.DATE, GroundCode.COMPACT_DATES)
        return judged

    def _judge_date(
        self, trial: Trial, reading: Reading, chosen: Hypothesis, formats: Formats, label: str
    ) -> explanation.Judgement:
        if names_birth(label):
            formats = replace(formats, latest=self.today)
        judged = explanation.typed(trial.tallies[chosen], trial.column, formats, chosen.type)
        if chosen.type is ColumnType.DATETIME and trial.column in self.evidence.times_without_zone:
            ground = Finding(GroundCode.ZONE_TAKEN, {"zone": formats.timezone})
            judged = replace(judged, notes=[*judged.notes, ground])
        if chosen.shape is Shape.YEAR_MONTH:
            judged = explanation.or_else(judged, ColumnType.DECIMAL, GroundCode.ALL_NUMBERS)
        if chosen.shape in (Shape.MONTH, Shape.YEAR_MONTH):
            example = find_example(self.connection, self.staged, trial.column, _is_month)
            judged = explanation.warned_of_months(judged, example, self.value_of(example, judged))
        if reading.order_proof is not None:
            example = find_example(self.connection, self.staged, trial.column, _has_two_readings)
            proof = self.names[reading.order_proof]
            return explanation.follows_order(judged, example, self._both_values(example, judged), proof)
        return judged

    def value_of(self, text: str, judged: explanation.Judgement, formats: Formats | None = None) -> str:
        """Return the value of a cell under the column's type and formats."""
        hypothesis = Hypothesis(judged.type, formats or judged.formats)
        row = self.connection.execute(f"SELECT {hypothesis.value('cell')} FROM (SELECT ? AS cell)", [text])  # noqa: S608
        found = row.fetchone()
        return str(found[0]) if found else ""

    def _both_values(self, text: str, judged: explanation.Judgement) -> tuple[str, str]:
        other: DateOrder = "mdy" if judged.formats.date_order == "dmy" else "dmy"
        formats = replace(judged.formats, date_order=other)
        return self.value_of(text, judged), self.value_of(text, judged, formats)

    def _judge_text(self, trial: Trial, reading: Reading, label: str) -> explanation.Judgement:
        formats = replace(reading.formats, null_tokens=True)
        counted = [(what, tally) for what, tally in trial.tallies.items() if isinstance(what, Hypothesis)]
        if counted:
            best, tally = max(counted, key=lambda pair: pair[1].share)
            judged = explanation.text(tally, trial.column, _formats_of(best, formats), best)
        else:
            judged = explanation.text(trial.tallies[NOTHING], trial.column, formats)
        return self._warn_of_cut_codes(self._explain_text(trial, judged), label)

    def _warn_of_cut_codes(self, judged: explanation.Judgement, label: str) -> explanation.Judgement:
        """Warn of a code that lost leading zeros among others that are written in full, with separators."""
        code = find_code_in_label(label, LONGEST_CODE)
        lengths = lengths_of(code or "")
        if code is None or not lengths:
            return judged
        example = find_example(self.connection, self.staged, judged.column, partial(is_cut_code, lengths))
        has_whole = find_example(self.connection, self.staged, judged.column, partial(is_whole_code, lengths))
        if not example or not has_whole:
            return judged
        return explanation.warned(judged, Finding(WarningCode.ZEROS_LOST, {"name": code, "example": example}))

    def _explain_text(self, trial: Trial, judged: explanation.Judgement) -> explanation.Judgement:
        """Add why texts that look like quantities are not."""
        if trial.units == ("",):
            example = find_example(self.connection, self.staged, trial.column, _has_leading_zero)
            return explanation.leading_zeros(judged, example) if example else judged
        if any(map(is_known_unit, trial.units)) or (len(trial.units) == 1 and judged.lead is None):
            return explanation.of_units(judged, trial.units)
        if trial.is_seen and trial.column in self.evidence.times_of_day:
            return replace(judged, grounds=[Finding(GroundCode.TIMES_OF_DAY)])
        return judged

    def _example_of_mark(self, column: int, formats: Formats) -> str:
        test = _is_signed if formats.workbook else _has_mark
        found = find_example(self.connection, self.staged, column, test)
        return found.strip().rstrip(TEXT_SIGN)


def _has_mark(cell: str) -> str:
    return f"regexp_matches({cell}, '[0-9][.,][0-9]')"


def _is_signed(cell: str) -> str:
    return f"regexp_matches({cell}, '{TEXT_SIGN}|[0-9],[0-9]')"


def _is_month(cell: str) -> str:
    return f"({trimmed(cell)} <> '' AND NOT {matches(cell, '[0-9]+[^0-9]+[0-9]+[^0-9]+[0-9]+.*')})"


def _has_leading_zero(cell: str) -> str:
    return matches(cell, r"\s*0[0-9]+\s*")


def _has_two_readings(cell: str) -> str:
    return matches(cell, r"\s*(?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|1[0-2])[-/.][0-9]{2}(?s:.*)")


def _formats_of(hypothesis: Hypothesis, formats: Formats) -> Formats:
    """Return the column's formats, with those that matter to the hypothesis."""
    if hypothesis.type.is_number:
        return replace(formats, decimal_mark=hypothesis.formats.decimal_mark, unit=hypothesis.formats.unit)
    return replace(formats, date_order=hypothesis.formats.date_order) if hypothesis.type.is_time else formats


def _find_code(values: Collection[str], label: str) -> str | None:
    """Return which code a column of numbers is: by its label unless it has amounts, or by check digits."""
    if not any(map(_IS_AMOUNT.fullmatch, values)):
        longest = max((sum(map(str.isdigit, value)) for value in values), default=1)
        code = find_code_in_label(label, longest)
        if code is not None:
            return code
    return find_code_in_values(values)


def marks_of_decimals(readings: Sequence[Reading]) -> dict[int, DecimalMark]:
    """Return the mark of each column of decimals whose writing may show that they are codes.

    A workbook's numbers have a point, and so have those of its texts that look like them.
    """
    return {
        column: "." if chosen.formats.workbook else chosen.formats.decimal_mark
        for column, reading in enumerate(readings)
        if (chosen := reading.hypothesis) is not None
        and chosen.type is ColumnType.DECIMAL
        and not chosen.formats.unit
    }
