"""Prove that a file is one which no careful person would stop: nine proofs, each from what is known.

Two things are known: what became of each line of the files, and what the table remembers of all its loads.
That nothing was found proves nothing: where something is not known, the proof does not hold. Differences and
the verdict are words for the proofs that do not hold.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.conversion.sql_text import literal
from managed_tables.documents.analyses import AnalysisDocument, FileWarning, RuleCheck
from managed_tables.documents.line_forms import find_line_forms, find_structure
from managed_tables.documents.pictures import LeftOutLine, LineAccount, Picture
from managed_tables.documents.recipes import (
    PROOF_CODES,
    PROOF_OF,
    Difference,
    JobRecipe,
    Proof,
    ProofCode,
    Recalled,
    RefutationCode,
    Verdict,
)
from managed_tables.jobs.pictures import Looked, category_of, find_repeated, shape_of
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import MAX_LINES, VALUE_CODES, WarningCode
from managed_tables.rules.rule import Rule
from managed_tables.schema import ColumnType
from managed_tables.wording import choose_sentence, number
from managed_tables_analyze.analysis import Analysis
from managed_tables_analyze.append_plan import CELL, FedColumn, feed_columns, plan_append
from managed_tables_analyze.meaning import Change, Shares, find_changes
from managed_tables_analyze.recipe_differences import FileComparison, difference
from managed_tables_analyze.rule_checks import FileChecks
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_analyze.writing import find_not_shown

_SURE_CODES = frozenset({"REPEATED_HEADER", "SEPARATOR_LINES"})  # what these lines are, their texts say
_MEASURE = re.compile(r"(?i)R\$|US\$|€|%|\bmil\b|\bmilh")  # a note that may change every value
_SUMMARY = r"(?i).*\b(sub)?(total|totais|saldo|soma|somat.rio|m.dia|resumo)\b.*"
_FEWEST_FILLED = 2  # columns that every row fills, of which a row like none of them leaves most empty
_SHOWN = 3  # refutations that a proof's text names
_SHOWN_CHARACTERS = 60  # of a line, in a proof's text
_NEAR = 10  # rows: so many more or fewer are no other file
_ROWS_FACTOR = 5
_PROOF_OF_WARNING: Mapping[str, ProofCode] = {
    **dict.fromkeys(VALUE_CODES, "SAME_WRITING"),
    **dict.fromkeys(("REPAIRED_ROWS", "LONG_ROWS", "SHORT_ROWS"), "EVERY_LINE_ACCOUNTED"),
    **dict.fromkeys(("NAMELESS_COLUMNS", "MATCHED_BY_POSITION"), "SAME_COLUMNS"),
    "SAME_FILE": "NEW_ROWS",
}
_SHOWN_OTHERWISE: frozenset[WarningCode] = frozenset(
    {"AMBIGUOUS_DATES"}
)  # by `writing`, with the table's time


class Refuted(NamedTuple):
    """Why a proof does not hold: a sentence, and where it is seen."""

    text: str
    lines: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    difference: Difference | None = None
    file: str | None = None  # whose lines these are, where it is known
    sheet: str | None = None


def compare_with_table(
    found: Analysis, table: TableRecord | None, recalled: Recalled | None, job: JobRecord
) -> None:
    """Record in the analysis what becomes of the columns in the table, and what is proven of the files.

    Of a workbook that has come back the merge says the rest, of the cells that it changes.
    """
    document, columns = found.document, table.columns if table is not None else ()  # it may be gone
    document.table_version = table.version if table is not None else None
    with open_duckdb(found.staged.parent) as connection:
        fed = feed_columns(connection, found, columns)
        document.append_plan = plan_append(fed, columns, document.files)
        if document.workbook is not None:
            document.append_plan.new = []
            return
        document.checks = _check(found, fed, table.rules if table is not None else (), recalled)
        if recalled is not None:
            case = Case(document, job, table, recalled, _compared(found, recalled, fed, table, job))
            document.proofs, document.recipe = case.proofs, case.recipe


def _compared(
    found: Analysis, recalled: Recalled, fed: Sequence[FedColumn], table: TableRecord | None, job: JobRecord
) -> FileComparison:
    columns, key = (table.columns, table.key or ()) if table is not None else ((), ())
    required = [column.name for column in columns if column.is_required]
    needed = (key if job.mode == "upsert" else ()) or required
    return FileComparison(found, recalled, needed, fed, columns, key)


def _check(
    found: Analysis, fed: Sequence[FedColumn], rules: Sequence[Rule], recalled: Recalled | None
) -> list[RuleCheck]:
    zone = found.reading.timezone
    checks = FileChecks(
        {one.table.name: one for one in fed if one.table},
        found.document.files,
        zone,
        datetime.now(ZoneInfo(zone)).date(),
        recalled.references if recalled else {},
    )
    return checks.of(rules)


@dataclass(frozen=True)
class Case:
    """A job's files, read under what their table remembers, and compared with it."""

    document: AnalysisDocument
    job: JobRecord
    table: TableRecord | None
    recalled: Recalled
    comparison: FileComparison

    @property
    def fed(self) -> list[FedColumn]:
        """The columns that feed one of the table."""
        return [one for one in self.comparison.columns if one.table is not None]

    @cached_property
    def differences(self) -> list[Difference]:
        """What the files show otherwise."""
        return self.comparison.differences()

    @cached_property
    def refuted(self) -> Mapping[ProofCode, list[Refuted]]:
        """Why proofs do not hold, by proof."""
        return {code: [*self._by_differences(code), *self._by_warnings(code), *_PROVING[code](self)]
                for code in PROOF_CODES}  # fmt: skip

    @property
    def proofs(self) -> list[Proof]:
        """All nine, those that do not hold first."""
        proofs = [_proof(code, self.refuted[code]) for code in PROOF_CODES]
        return sorted(proofs, key=lambda proof: proof.holds)

    @property
    def recipe(self) -> JobRecipe:
        """The verdict, and the differences, the gravest first: words for what is not proven of the files.

        The mode is the job's own affair, and no difference of its files.
        """
        severities = ("stop", "check", "told")
        own = [one.difference for every in self.refuted.values() for one in every if one.difference]
        told = [one for one in self.differences if one.severity == "told"]
        found = sorted([*own, *told], key=lambda one: severities.index(one.severity))
        verdict: Verdict = "unchanged"
        if any(refuted for code, refuted in self.refuted.items() if code != "MODE_SET"):
            verdict = "stopped" if any(one.severity == "stop" for one in found) else "changed"
        return JobRecipe(version=self.recalled.recipe.version, verdict=verdict, differences=found)

    def _by_differences(self, code: ProofCode) -> Iterator[Refuted]:
        for one in self.differences:
            if PROOF_OF.get(one.code) == code:
                columns = (one.column,) if one.column else ()
                yield Refuted(one.text, tuple(one.lines), columns, one)

    def _by_warnings(self, code: ProofCode) -> Iterator[Refuted]:
        """Yield the warnings that speak against a proof, of columns that go into the table."""
        fed = {one.inferred.name for one in self.fed}
        for warning in self.document.warnings:
            is_fed = not warning.columns or fed.intersection(warning.columns)
            is_doubled = warning.code != "SAME_FILE" or self.mode == "append"
            is_open = warning.code not in _SHOWN_OTHERWISE
            if _PROOF_OF_WARNING.get(warning.code) == code and is_fed and is_doubled and is_open:
                yield _warned(warning)

    @property
    def mode(self) -> str:
        """The mode by which the rows would be loaded."""
        return self.job.mode if self.job.states_mode else self.recalled.recipe.mode


def _warned(warning: FileWarning) -> Refuted:
    lines, columns = tuple(warning.lines), tuple(warning.columns)
    return Refuted(warning.text, lines, columns, None, warning.file, warning.sheet)


def _left(account: LineAccount, line: LeftOutLine, code: RefutationCode) -> Refuted:
    text = _say(code, example=line.text[:_SHOWN_CHARACTERS], line=number(line.line))
    return Refuted(text, (line.line,), file=account.file, sheet=account.sheet)


def _proof(code: ProofCode, refuted: list[Refuted]) -> Proof:
    if not refuted:
        return Proof(code=code, holds=True, text=choose_sentence(code, None), lines=[], columns=[])
    text = "; ".join(dict.fromkeys(one.text for one in refuted[:_SHOWN]))
    lines = dict.fromkeys(line for one in refuted for line in one.lines)
    columns = dict.fromkeys(column for one in refuted for column in one.columns)
    found = Proof(code=code, holds=False, text=text, lines=[*lines][:MAX_LINES], columns=[*columns])
    first = next((one for one in refuted if one.lines and one.file is not None), None)
    return found.model_copy(update={"file": first.file, "sheet": first.sheet}) if first else found


def _say(code: RefutationCode, many: int | None = None, **values: object) -> str:
    return choose_sentence(code, many).format_map(values)


# What each proof asks beside the differences and warnings that refute it


def _lines(case: Case) -> Iterator[Refuted]:
    known = {(code, text) for code, text in case.recalled.found.lines}
    for account in case.document.accounts:
        if not account.is_whole:
            yield Refuted(_say("LINES_NOT_COUNTED", lines=number(account.lines)))
        kept = sum(account.left_out.values()) - sum(account.left_out.get(code, 0) for code in _SURE_CODES)
        if kept > len(account.left) and kept > 0:
            yield Refuted(_say("LINES_NOT_COUNTED", lines=number(kept)))
        yield from chain.from_iterable(_line(account, line, known) for line in account.left)


def _line(account: LineAccount, line: LeftOutLine, known: set[tuple[str, str]]) -> Iterator[Refuted]:
    """Yield why a line that was left out is not accounted for."""
    if line.code in _SURE_CODES:
        return
    if line.is_row:
        yield _left(account, line, "ROW_LEFT_OUT")
        return
    [form] = find_line_forms([account.model_copy(update={"left": [line]})])
    is_number = any(map(str.isdigit, line.text)) and not any(map(str.isalpha, line.text))  # a total's
    is_note = sum(map(bool, line.cells)) == 1 and not is_number and not _MEASURE.search(line.text)
    if not (form in known or (is_note and line.code != "SKIPPED")):
        yield _left(account, line, "LINE_UNKNOWN")


def _columns(case: Case) -> Iterator[Refuted]:
    """Yield the columns that fed one that the table has not, or not under that name."""
    for one in case.comparison.columns:
        if one.table is None and one.before is not None and one.before.name:
            told = difference("COLUMN_MISSING", column=one.before.name, before=one.label)
            yield Refuted(told.text, (), (one.before.name,), told)


def _writing(case: Case) -> Iterator[Refuted]:
    for one in find_not_shown(case.fed, case.recalled.pictures):
        example, lines = one.example()
        code: RefutationCode = "MARK_NOT_SHOWN" if one.type.is_number else "ORDER_NOT_SHOWN"
        name = one.column.table.name if one.column.table else one.column.label
        yield Refuted(_say(code, example=example, column=name), tuple(lines), (name,))
    yield from _units(case)
    yield from (refuted for refuted, is_writing in _changes(case) if is_writing)


def _units(case: Case) -> Iterator[Refuted]:
    for one in case.fed:
        before, after = case.recalled.found.units.get(one.label, ""), one.staged.formats.unit
        if before != after and one.inferred.type.is_number and case.recalled.found.types and one.table:
            old, new = (unit or "números sem unidade" for unit in (before, after))
            yield _changed(one.table.name, Change(f"antes traziam {old}, agora {new}", before, after))


def _meaning(case: Case) -> Iterator[Refuted]:
    yield from (refuted for refuted, is_writing in _changes(case) if not is_writing)
    loads, count = case.recalled.loads, case.document.row_count
    if not loads:
        return
    is_far = count * _ROWS_FACTOR <= min(loads) or count >= max(loads) * _ROWS_FACTOR
    if is_far and min(abs(count - one) for one in loads) >= _NEAR:
        least, most = number(min(loads)), number(max(loads))
        told = difference("ROWS_CHANGED", before=loads[0], after=count, least=least, most=most)
        yield Refuted(told.text, (), (), told)


def _changes(case: Case) -> list[tuple[Refuted, bool]]:
    """Return what the columns hold beyond the table's, and whether it is how they are written."""
    found: list[tuple[Refuted, bool]] = []
    misfits = {refuted.columns: refuted for refuted in _fitting(case)}
    for one in case.fed:
        assert one.table is not None  # noqa: S101 - it feeds one
        if (one.table.name,) in misfits:  # what the values mean is not known before they fit
            found.append((misfits[one.table.name,], False))
            continue
        known, picture = case.recalled.pictures.get(one.table.name), one.picture
        one.staged.picture = picture  # the load remembers it
        if known is None or known.type != one.table.type:
            told = _say("NOTHING_KNOWN", column=one.table.name)
            found += [(Refuted(told, (), (one.table.name,)), False)] if picture.filled else []
            continue
        for change in find_changes(known, picture, _shares(one, known)):
            found.append((_changed(one.table.name, change), change.is_writing))
    return found


def _shares(one: FedColumn, known: Picture) -> Shares:
    """Return how many of a column's texts are none of the known categories, or of no known shape."""
    if (
        one.table is None
        or one.table.type is not ColumnType.TEXT
        or (known.shapes is None and known.categories is None)
    ):
        return Shares()
    value = Looked(CELL, one.table.type, one.staged.formats).value
    is_shaped = f"{shape_of(value)} IN ({_listed(known.shapes)})"
    is_known = f"{category_of(value)} IN ({_listed(known.categories)})"
    [(filled, misshapen, unknown, example)] = one.connection.execute(
        f"SELECT count({value}), count(*) FILTER (NOT {is_shaped}), count(*) FILTER (NOT {is_known}),"  # noqa: S608
        f" first(left({CELL}, 60)) FILTER (NOT {is_shaped}) FROM {one.rows} WHERE {value} IS NOT NULL"
    ).fetchall()
    return Shares(unknown / max(1, filled), misshapen / max(1, filled), example)


def _listed(texts: Iterable[str] | None) -> str:
    return ", ".join(map(literal, texts or ())) or "NULL"


def _changed(name: str, change: Change) -> Refuted:
    told = difference(
        "VALUES_CHANGED", column=name, before=change.before, after=change.after, what=change.what
    )
    return Refuted(told.text, (), (name,), told)


def _structure(case: Case) -> Iterator[Refuted]:
    known = set(case.recalled.found.structure)
    for warning in case.document.warnings:
        if set(find_structure([warning])) - known:
            yield _warned(warning)
    yield from _unknown_sums(case)
    yield from _unlike_rows(case)


def _unknown_sums(case: Case) -> Iterator[Refuted]:
    """Yield the lines of sums or balances that were left out, and of whose form no load had one."""
    known = {(code, text) for code, text in case.recalled.found.lines}
    for account in case.document.accounts:
        for line in account.left:
            [form] = find_line_forms([account.model_copy(update={"left": [line]})])
            if re.fullmatch(_SUMMARY, line.text) and form not in known:
                yield _left(account, line, "LINE_UNKNOWN")


def _unlike_rows(case: Case) -> Iterator[Refuted]:
    """Yield the rows that leave empty what every row filled: most, or some beside a word of sums."""
    full = [one for one in case.fed if _is_always_filled(case, one)]
    if len(full) < _FEWEST_FILLED:
        return
    first, cells = full[0], [f"c{one.number}" for one in full]
    filled = " + ".join(f"(coalesce(trim({cell}), '') <> '')::INT" for cell in cells)
    every = [f"c{one.number}" for one in case.fed]
    words = " OR ".join(f"regexp_full_match(coalesce({cell}, ''), {literal(_SUMMARY)})" for cell in every)
    text = f"left(concat_ws(' ', {', '.join(every)}), 60)"
    rows = first.connection.execute(
        f"SELECT line, {text} FROM {staged_rows(first.path)}"  # noqa: S608 - own SQL
        f" WHERE ({filled}) * 2 < {len(full)} OR (({filled}) < {len(full)} AND ({words})) LIMIT {MAX_LINES}"
    ).fetchall()
    if rows:
        line, example = rows[0]
        lines = tuple(sorted(line for line, _ in rows))
        yield Refuted(_say("UNLIKE_ROWS", example=example, line=number(line)), lines)


def _is_always_filled(case: Case, one: FedColumn) -> bool:
    known = case.recalled.pictures.get(one.table.name) if one.table else None
    return known is not None and known.rows > 0 and not known.emptiest


def _fitting(case: Case) -> Iterator[Refuted]:
    for conflict in case.document.append_plan.conflicts if case.document.append_plan else ():
        lines = [one.line for one in conflict.details if one.line]
        text = _say("VALUES_DO_NOT_FIT", conflict.count, column=conflict.column, count=number(conflict.count))
        yield Refuted(text, tuple(lines), (conflict.column,))


def _fits(case: Case) -> Iterator[Refuted]:
    yield from _fitting(case)
    for check in case.document.checks:
        if check.refuses:
            lines = [example.line for example in check.examples]
            text = _say("RULE_NOT_KEPT", columns=", ".join(check.columns), count=number(check.broken))
            yield Refuted(text, tuple(lines), tuple(check.columns))


def _new_rows(case: Case) -> Iterator[Refuted]:
    own = case.document.digests
    if case.mode == "append" and find_repeated(case.recalled.digests, own):
        yield Refuted(_say("ROWS_KNOWN"))
    if any(find_repeated(own[:place], [one]) for place, one in enumerate(own)):
        yield Refuted(_say("ROWS_TWICE"))


def _recalled(case: Case) -> Iterator[Refuted]:
    if case.table is None or case.table.version != case.recalled.table_version:
        yield Refuted(_say("NOT_AS_RECALLED"))


def _mode(case: Case) -> Iterator[Refuted]:
    is_other = case.job.states_mode and case.recalled.mode_set and case.job.mode != case.recalled.recipe.mode
    if is_other:
        yield Refuted(_say("OTHER_MODE", mode=case.recalled.recipe.mode))
    elif not case.job.states_mode and not case.recalled.mode_set:
        yield Refuted(_say("MODE_NOT_SET"))


_PROVING: Mapping[ProofCode, Callable[[Case], Iterable[Refuted]]] = {
    "EVERY_LINE_ACCOUNTED": _lines,
    "SAME_COLUMNS": _columns,
    "SAME_WRITING": _writing,
    "SAME_MEANING": _meaning,
    "NO_NEW_STRUCTURE": _structure,
    "ALL_FIT": _fits,
    "NEW_ROWS": _new_rows,
    "AS_RECALLED": _recalled,
    "MODE_SET": _mode,
}
