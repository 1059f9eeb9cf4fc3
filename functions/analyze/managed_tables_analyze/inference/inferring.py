"""Judge all columns: each by its own cells, then by its neighbours."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Event, Thread

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats
from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables.conversion.numbers import PERCENT, is_known_unit
from managed_tables.conversion.sql_text import matches
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.documents.analyses import Alternative, OrderSign
from managed_tables.documents.recipes import FormerColumn
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import Finding, GroundCode
from managed_tables.messages.sentences import write_text
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference import signs
from managed_tables_analyze.inference.evidence import Evidence, find_mojibake, find_oddities
from managed_tables_analyze.inference.explanation import (
    DOUBTFUL,
    LABELLED,
    SURE,
    JudgedColumn,
    add_exceptions,
)
from managed_tables_analyze.inference.marks import choose_marks, describe_doubt
from managed_tables_analyze.inference.orders import choose_orders, has_two_readings
from managed_tables_analyze.inference.tallies import HEAD, Aggregate, Cells, CellTally, Hypothesis
from managed_tables_analyze.inference.trial import OrderShown, ShownOrder, Trial, try_columns

_LOOK_SECONDS = 1.0  # the job's record is written far less often

_FEW_VALUES = 3  # of a type, which may fit it by chance
_FEW = 0.8
_WORTH_EXPLAINING = 0.5
_SHOWN_CHARACTERS = 60  # of an example in a sentence
_IS_AMOUNT = re.compile(r".*(?:\$|[0-9],[0-9]).*")  # no code has a comma
_ORDER_GROUNDS: dict[OrderSign, GroundCode] = {
    "columns": "ORDER_OF_COLUMN",
    "running_days": "ORDER_OF_DAYS",
    "marks": "ORDER_OF_MARKS",
    "labels": "ORDER_OF_LABELS",
}
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
    keeps_texts: bool = False,
    types: Sequence[ColumnType | None] = (),
    timezone: str = "UTC",
    reader_findings: Sequence[Finding] = (),
    former_columns: Sequence[FormerColumn | None] = (),
    report: Callable[[int], object] = lambda _percent: None,
) -> list[JudgedColumn]:
    """Return one judgement for each column, in order.

    `labels` are the headers as written; `names` the columns' names (by default their labels); `files` the
    names that the object's `file` indexes; `delimiter` the files', None for workbooks. `is_workbook`: a
    workbook's own numbers are among the cells; `keeps_texts`: a text of blanks, or `#N/A`, is a value.
    `types` are those that the files state. `timezone` applies to times without one. `reader_findings` are
    those of the files' readers; each column gets those that name it.
    `former_columns` say how each was read before. `report` gets how much is done, in percent.
    """
    names = names or labels
    plain = Formats(null_tokens=True, timezone=timezone, workbook=is_workbook, keeps_texts=keeps_texts)
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
    judge = _Judge(Evidence(head, rows, trials), f"{datetime.now(UTC):%Y-%m-%d}")
    judged = list(map(judge.judge, trials))
    report(_JUDGED)
    oddities = find_oddities(rows, [(one.type, one.has_no_errors) for one in judged], files)
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
        if one.type.is_number and not one.unit:
            _add_shown_currency(one)


def _add_shown_currency(judged: JudgedColumn) -> None:
    """Note the currency in which a workbook shows the column's numbers, if it is one."""
    shown = {str(found.values["name"]) for found in judged.reader_findings if found.code == "SHOWN_IN"}
    if len(shown) == 1:
        judged.unit = shown.pop()
        judged.grounds.append(Finding("SHOWN_IN", {"name": judged.unit}))


def _are_reais(cell: str) -> str:
    return f"bool_and(contains({cell}, 'R$')) FILTER (trim({cell}) <> '')"


@dataclass(frozen=True)
class _Judge:
    """Judges the columns of one staged object; `today` is the latest possible day of birth."""

    evidence: Evidence
    today: str

    def judge(self, trial: Trial) -> JudgedColumn:
        """Return the judgement of a column, by its trial and its label."""
        chosen = trial.chosen
        if chosen is None:
            return self._judge_text(trial)
        tally = trial.tallies[chosen]
        formats = replace(trial.formats, null_tokens=tally.blank > 0)
        if chosen.type is ColumnType.BOOLEAN and trial.column in self.evidence.lone_letters:
            judged = _text(trial, tally, formats, LABELLED, Finding("LONE_LETTERS"))
            judged.or_else(ColumnType.BOOLEAN, "LETTERS")
        elif chosen.type.is_number:
            judged = self._judge_number(trial, chosen, formats)
        elif chosen.type.is_time:
            judged = self._judge_date(trial, chosen, formats)
        else:
            judged = _typed(trial, chosen, formats)
        judged.proven = chosen if tally.is_proof else None
        return judged

    def _judge_number(self, trial: Trial, chosen: Hypothesis, formats: Formats) -> JudgedColumn:
        tally = trial.tallies[chosen]
        values = self.evidence.head_values.get(trial.column, [])
        code = None if formats.unit else _find_code(values, trial.label)
        if code is not None:
            ground: Finding | None = Finding("CODE", {"name": code}, count=tally.fits)
        else:
            ground = self.evidence.writing.get(trial.column) or self.evidence.notes.get(trial.column)
        if ground is None:
            return self._judge_quantity(trial, chosen, formats)
        judged = _text(trial, tally, formats, LABELLED, _share(tally, chosen.type), ground)
        self._warn_of_cut_codes(trial, judged, code)
        return judged.or_else(chosen.type, "ALL_NUMBERS")

    def _judge_quantity(self, trial: Trial, chosen: Hypothesis, formats: Formats) -> JudgedColumn:
        if trial.is_percent:  # decimals, whole ones too
            judged = _typed(trial, replace(chosen, type=ColumnType.DECIMAL), formats, trial.tallies[chosen])
            if not formats.unit:
                judged.grounds.append(Finding("PERCENT"))
            return judged
        judged = _typed(trial, chosen, formats)
        if trial.doubt is not None and trial.alternative is not None:
            mark = f"{TEXT_SIGN}|[0-9],[0-9]" if formats.workbook else "[0-9][.,][0-9]"
            marked = self._example(trial, lambda cell: f"regexp_matches({cell}, '{mark}')")
            judged.doubt(describe_doubt(trial, marked.rstrip(TEXT_SIGN)))
            judged.or_else(trial.alternative.type, "OTHER_MARK")
        elif trial.column in self.evidence.compact_days:
            judged.or_else(ColumnType.DATE, "COMPACT_DATES")
        return judged

    def _judge_date(self, trial: Trial, chosen: Hypothesis, formats: Formats) -> JudgedColumn:
        if signs.names_birth(trial.label):
            formats = replace(formats, latest=self.today)
        judged = _typed(trial, chosen, formats)
        if chosen.type is ColumnType.DATETIME and trial.column in self.evidence.times_without_zone:
            judged.notes.append(Finding("ZONE_TAKEN", {"zone": formats.timezone}))
        if chosen.shape is Shape.YEAR_MONTH:
            judged.or_else(ColumnType.DECIMAL, "ALL_NUMBERS")
        if chosen.shape in (Shape.MONTH, Shape.YEAR_MONTH):
            example = self._example(trial, lambda cell: f"({chosen.test(cell)} AND {_is_month(cell)})")
            values = {"example": example, "day": self._value_of(example, judged.type, formats)}
            judged.warnings.append(Finding("MONTHS_AS_DATES", values))
        if trial.shown is not None:
            judged.order_shown_by = [sign.by for sign in trial.shown.signs]
            judged.grounds += [_order_ground(sign) for sign in trial.shown.signs if sign.by != "cells"]
            self._warn_of_order(trial, judged, chosen, trial.shown)
        return judged

    def _warn_of_order(
        self, trial: Trial, judged: JudgedColumn, chosen: Hypothesis, shown: ShownOrder
    ) -> None:
        """Add the warning that the cells allow both orders of day and month, unless the file shows one."""
        if shown.because is None:
            return
        formats, example = judged.formats, self._example(trial, partial(has_two_readings, chosen))
        other: DateOrder = "mdy" if formats.date_order == "dmy" else "dmy"
        values = {
            "example": example,
            "day": self._value_of(example, judged.type, formats),
            "other_day": self._value_of(example, judged.type, replace(formats, date_order=other)),
            "because": shown.because,
            "proof": shown.proof,
            "order": formats.date_order,
        }
        judged.doubt(Finding("AMBIGUOUS_DATES", values))

    def _value_of(self, text: str, column_type: ColumnType, formats: Formats) -> str:
        value = Hypothesis(column_type, formats).conversion("cell").value
        connection = self.evidence.rows.connection
        found = connection.execute(f"SELECT {value} FROM (SELECT ? AS cell)", [text]).fetchone()  # noqa: S608
        return str(found[0]) if found else ""

    def _example(self, trial: Trial, test: Aggregate) -> str:
        """Return the first cell of a column that passes a test: the head has most of them."""
        found = (cells.find_first(trial.column, test) for cells in (self.evidence.head, self.evidence.rows))
        return next((cell for cell in found if cell is not None), "").strip()

    def _judge_text(self, trial: Trial) -> JudgedColumn:
        counted = [(what, tally) for what, tally in trial.tallies.items() if what is not None]
        nothing = (None, trial.tallies.get(None, CellTally()))
        best, tally = max(counted, key=lambda pair: pair[1].share, default=nothing)
        formats = _formats_of(best, replace(trial.formats, null_tokens=True))
        if tally.judged == 0 and not (formats.keeps_texts and tally.filled):
            formats = replace(formats, text_tokens=tally.blank > 0)
            judged = _text(trial, tally, formats, DOUBTFUL, Finding("NO_VALUES"))
            judged.nullable = judged.nullable or tally.blank > 0
        elif best is not None and trial.column in self.evidence.lettered_codes:
            code = Finding("CODE", {"name": self.evidence.lettered_codes[trial.column]}, count=tally.judged)
            judged = _text(trial, tally, formats, SURE, code)
        elif best is None or tally.share < _WORTH_EXPLAINING:
            judged = _text(trial, tally, formats, SURE, Finding("NO_COMMON_TYPE"))
        else:
            misfits = Finding("MISFITS", {"type": best.type}, count=tally.exceptions)
            judged = _text(trial, tally, formats, DOUBTFUL, _share(tally, best.type))
            judged.alternatives.append(Alternative(type=best.type, reason=write_text(misfits)))
            judged.lead = best
        self._explain_text(trial, judged)
        self._warn_of_cut_codes(trial, judged, signs.find_code_in_label(trial.label, signs.LONGEST_CODE))
        return judged

    def _explain_text(self, trial: Trial, judged: JudgedColumn) -> None:
        """Say why texts that look like quantities are not: they begin with zeros, or carry units."""
        units = [unit for unit in trial.units if unit]
        if trial.units == ("",):
            if example := self._example(trial, lambda cell: matches(cell, r"\s*0[0-9]+\s*")):
                judged.grounds = [Finding("LEADING_ZEROS", {"example": example})]
                judged.confidence = SURE
        elif any(map(is_known_unit, units)) or (judged.lead is None and self._has_letters(trial)):
            code: GroundCode = "MIXED_UNITS" if len(units) > 1 else "UNKNOWN_UNIT"
            code = "SOME_UNITS" if len(units) < len(trial.units) else code
            judged.grounds = [Finding(code, {"names": units})]
        elif trial.is_seen and trial.column in self.evidence.times_of_day:
            judged.grounds = [Finding("TIMES_OF_DAY")]

    def _has_letters(self, trial: Trial) -> bool:
        """Return whether all numbers of a column carry the same letters, or amounts carry different ones."""
        return len(trial.units) == 1 or (len(trial.units) > 1 and bool(self._example(trial, _has_cents)))

    def _warn_of_cut_codes(self, trial: Trial, judged: JudgedColumn, code: str | None) -> None:
        """Warn of a code that lost leading zeros among others that are written in full."""
        lengths = signs.lengths_of(code or "")
        if not lengths:
            return
        is_cut = signs.is_short_code if trial.is_number else signs.is_cut_code
        tests = (partial(is_cut, lengths), partial(signs.is_whole_code, lengths))
        example, whole = (self._example(trial, test) for test in tests)
        if example and whole:
            judged.warnings.append(Finding("ZEROS_LOST", {"name": code, "example": example}))

    def add_oddities(self, trial: Trial, judged: JudgedColumn, oddities: Sequence[Finding]) -> None:
        """Add findings about odd cells; shortened numbers become text if the label names a code."""
        for found in oddities:
            cell = str(found.values["example"])
            values = {"example": _shown(found, cell)}
            if found.code in ("TWO_DIGIT_YEARS", "SWAPPED_DATES"):
                values["day"] = self._value_of(cell, judged.type, judged.formats)
            if found.code == "SWAPPED_DATES":
                values["other_day"] = f"{cell[:5]}{cell[8:10]}-{cell[5:7]}"
            warning = replace(found, values=values)
            if found.code != "SHORTENED_NUMBERS":
                judged.warnings.append(warning)
                continue
            judged.doubt(warning)
            code = signs.find_code_in_label(trial.label, signs.LONGEST_CODE)
            if code is not None and judged.type is ColumnType.DECIMAL:
                judged.grounds.append(Finding("CODE", {"name": code}))
                judged.type, judged.alternatives = ColumnType.TEXT, []
                judged.or_else(ColumnType.DECIMAL, "ALL_NUMBERS")
        word = find_mojibake(trial.label)
        if word is not None and all(found.code != "MOJIBAKE" for found in oddities):
            judged.warnings.append(Finding("MOJIBAKE", {"example": word}, count=1))


def _shown(found: Finding, cell: str) -> str:
    """Return an odd cell as shown, with the blanks around it if these are the oddity."""
    if found.code == "SURROUNDING_BLANKS":
        return cell.replace("\n", " ").replace("\t", " ")[:_SHOWN_CHARACTERS]
    word = find_mojibake(cell) if found.code == "MOJIBAKE" else None
    return (word or cell.strip())[:_SHOWN_CHARACTERS]


def _share(tally: CellTally, column_type: ColumnType) -> Finding:
    return Finding("CELLS_FIT", {"fits": tally.fits, "type": column_type}, count=tally.judged)


def _typed(
    trial: Trial, chosen: Hypothesis, formats: Formats, tally: CellTally | None = None
) -> JudgedColumn:
    """Explain a column whose cells all convert."""
    tally = tally or trial.tallies[chosen]
    grounds = [_share(tally, chosen.type)]
    if chosen.type.is_time:
        grounds.append(Finding("DATE_ORDER", {"order": formats.date_order}))
    if chosen.type is ColumnType.DECIMAL and not (formats.workbook and len(trial.verdict) > 1):
        grounds.append(
            Finding("DECIMAL_MARK", {"mark": formats.decimal_mark})
        )  # numbers of a sheet have none
    if formats.unit:
        code: GroundCode = "PERCENT" if formats.unit == PERCENT else "UNIT"
        grounds.append(Finding(code, {"name": formats.unit}))
    confidence = SURE if tally.fits >= _FEW_VALUES else _FEW
    is_nullable = tally.empty + tally.blank > 0
    judged = JudgedColumn(trial.name, chosen.type, is_nullable, formats, confidence, grounds)
    judged.mark_shown = chosen.type is ColumnType.DECIMAL and len(trial.verdict) == 1
    if tally.blank:
        judged.notes.append(Finding("NULL_TOKENS", count=tally.blank))
    return judged


def _text(
    trial: Trial, tally: CellTally, formats: Formats, confidence: float, *grounds: Finding
) -> JudgedColumn:
    is_nullable = tally.missing > 0 if formats.keeps_texts else tally.empty > 0
    return JudgedColumn(trial.name, ColumnType.TEXT, is_nullable, formats, confidence, [*grounds])


def _formats_of(hypothesis: Hypothesis | None, formats: Formats) -> Formats:
    """Return the column's formats, with those that matter to the hypothesis."""
    if hypothesis is not None and hypothesis.type.is_number:
        own = hypothesis.formats
        return replace(formats, decimal_mark=own.decimal_mark, unit=own.unit)
    if hypothesis is not None and hypothesis.type.is_time:
        return replace(formats, date_order=hypothesis.formats.date_order)
    return formats


def _find_code(values: Collection[str], label: str) -> str | None:
    """Return which code a column of numbers is: by its label unless it has amounts, or by check digits."""
    if not any(map(_IS_AMOUNT.fullmatch, values)):
        digits = [sum(map(str.isdigit, value)) for value in values]
        code = signs.find_code_in_label(label, max(digits, default=1), min(digits, default=1))
        if code is not None:
            return code
    return signs.find_code_in_values(values)


def _order_ground(sign: OrderShown) -> Finding:
    mark = "," if sign.order == "dmy" else "."
    return Finding(_ORDER_GROUNDS[sign.by], {"name": sign.name, "mark": mark})


def _is_month(cell: str) -> str:
    return f"NOT {matches(cell, '[0-9]+[^0-9]+[0-9]+[^0-9]+[0-9]+.*')}"


def _has_cents(cell: str) -> str:
    return matches(cell, r"\s*[0-9]+(?:[.,][0-9]{3})*[.,][0-9]{2}\s*[^0-9]*")


@contextmanager
def watched(
    connection: DuckDBPyConnection, report: Callable[[int], object], first: int, last: int
) -> Iterator[None]:
    """Report `first` to `last` percent while a query goes from none to all of its rows, then `last`."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            report(first + round((last - first) * max(0.0, connection.query_progress()) / 100))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    report(last)
