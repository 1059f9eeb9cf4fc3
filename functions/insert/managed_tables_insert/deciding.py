"""The values of a job's files that a person is asked about, each once, and whether repairs of them fit.

All is judged as the load will judge it: by its plan, after the repairs that were made already.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from managed_tables.catalog.job_records import JobRecord
from managed_tables.conversion.sql_text import literal
from managed_tables.details import Fault
from managed_tables.documents.repairs import MAX_TEXT_CHARACTERS
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.object_keys import STAGED_OBJECT
from managed_tables.rules.rule import Rule
from managed_tables.rules.saying import fault_of
from managed_tables.schema import ColumnType
from managed_tables.services import Services
from managed_tables_insert.converter import open_converter
from managed_tables_insert.loading import Load
from managed_tables_insert.plan import LoadedColumn, LoadPlan, make_plan
from managed_tables_insert.suggesting import SAME_TEXT, Outcomes, Suggesting, Suggestion, keys_of, text_of

_MOST_FORMS = 100_000  # distinct texts of a column among which like ones are sought
_ALIKE = Fault("ALIKE", "um texto mais frequente só difere deste na escrita")


class Asked(NamedTuple):
    """Which values are asked for: of a column, a rule; texts that are alike instead; and the page."""

    column: str | None = None
    rule: str | None = None
    kind: str = "misfit"
    page: int = 1
    per_page: int = 50

    @property
    def first(self) -> int:
        """How many values are on the pages before."""
        return (self.page - 1) * self.per_page


class _Value(NamedTuple):
    """A distinct text of a column, by its place in the plan: in how many rows, and where the first stands."""

    place: int
    rule: str | None
    text: str
    rows: int
    file: int
    sheet: str | None
    line: int
    at: int


class _Test(NamedTuple):
    """The SQL test of rows whose cell in a column, by its place in the plan, is asked about."""

    place: int
    rule: str | None
    sql: str
    key: str = ""  # whose first row is right: the SQL of values that are to be unique
    rows: int = 0  # that pass it, and are not right

    @property
    def counting(self) -> str:
        """The SQL of how many rows are not right."""
        only = f"FILTER (WHERE {self.sql})"
        return f"count(*) {only}" + (f" - count(DISTINCT {self.key}) {only}" if self.key else "")


@contextmanager
def _planned(
    services: Services, job: JobRecord, confirmed: ConfirmedDocument, *, with_rows: bool
) -> Iterator[tuple[DuckDBPyConnection, LoadPlan]]:
    """Give the plan of loading what is confirmed, with the table's rules, those that only warn as well."""
    analysis = services.job_documents.get_analysis(job)
    company = services.provisioning.require(job.company_id)
    with tempfile.TemporaryDirectory() as folder, open_converter(Path(folder)) as converter:
        staged = Path(folder) / STAGED_OBJECT
        if with_rows:
            services.storage.download(job.staged_key or "", staged)
        with services.open_company(company) as connection:
            load = Load(connection, converter, job, confirmed)
            zone = services.settings.default_timezone
            plan = make_plan(staged, analysis, confirmed.columns, zone, confirmed.terms)
            plan = replace(plan, rules=load.all_rules())
            load.keep_references(plan)
            yield converter, plan


def judge_repairs(services: Services, job: JobRecord, confirmed: ConfirmedDocument) -> list[dict[str, Any]]:
    """Return the place of each repair whose outcome does not fit, and why."""
    repairs = confirmed.terms.repairs or ()
    bare = confirmed.terms.model_copy(update={"repairs": ()})
    faults: dict[int, Fault] = {}
    with _planned(services, job, confirmed.model_copy(update={"terms": bare}), with_rows=False) as planned:
        for number, loaded in enumerate(planned[1].columns):
            places = [at for at, one in enumerate(repairs) if one["column"] == loaded.column.name]
            found = Outcomes(*planned, number).faults([repairs[at].get("to") for at in places])
            faults |= {at: fault for at, fault in zip(places, found, strict=True) if fault}
    return [{"place": at, **faults[at]._asdict()} for at in sorted(faults)]


def find_misfits(
    services: Services, job: JobRecord, confirmed: ConfirmedDocument, asked: Asked
) -> dict[str, Any]:
    """Return how many distinct values are asked about, and a page of them as they are answered."""
    with _planned(services, job, confirmed, with_rows=True) as planned:
        values = _Values(*planned, asked)
        total, page = values.alike() if asked.kind == "alike" else values.misfits()
        left = [] if asked.kind == "alike" else values.left()
    return {"total": total, "records": page, "left": left}


@dataclass(frozen=True)
class _Values:
    converter: DuckDBPyConnection
    plan: LoadPlan
    asked: Asked

    def misfits(self) -> tuple[int, list[dict[str, Any]]]:
        """Return the values that do not fit, or break a rule, the most frequent first."""
        if not self._tests:
            return 0, []
        every = " UNION ALL ".join(map(self._grouped, self._tests))
        [(total,)] = self.converter.execute(f"SELECT count(*) FROM ({every})").fetchall()  # noqa: S608
        rows = self.converter.execute(
            f"SELECT * FROM ({every}) ORDER BY number DESC, first_row, place, rule"  # noqa: S608 - own SQL
            f" LIMIT {self.asked.per_page} OFFSET {self.asked.first}"
        )
        values = [_Value(*row) for row in rows.fetchall()]
        suggested = dict(self._suggestions(values))
        return total, [self._record(one, suggested.get(at, [])) for at, one in enumerate(values)]

    @cached_property
    def _tests(self) -> list[_Test]:
        """The tests of what is asked for that any row passes."""
        columns = self.plan.columns
        wanted = [
            test
            for test in self._every_test()
            if self.asked.column in (None, columns[test.place].column.name)
            and self.asked.rule in (None, test.rule)
        ]
        if not wanted:
            return []
        counts = ", ".join(test.counting for test in wanted)
        [found] = self.converter.execute(f"SELECT {counts} FROM {self.plan.rows}").fetchall()  # noqa: S608
        return [test._replace(rows=rows) for test, rows in zip(wanted, found, strict=True) if rows]

    def left(self) -> list[dict[str, Any]]:
        """Return in how many rows each column has such values, by rule."""
        names = [loaded.column.name for loaded in self.plan.columns]
        return [{"column": names[test.place], "rule": test.rule, "count": test.rows} for test in self._tests]

    def _every_test(self) -> Iterator[_Test]:
        plan, places = self.plan, {one.column.name: at for at, one in enumerate(self.plan.columns)}
        for place, loaded in enumerate(plan.columns):
            yield _Test(place, None, loaded.is_misfit())
        for rule, loaded, test in plan.judged:
            yield _Test(places[loaded.column.name], rule.id, test)
        for rule in plan.rules:
            if rule.kind == "unique" and places.keys() >= set(rule.columns):
                yield _Test(places[rule.columns[0]], rule.id, *self._repeated(rule))

    def _repeated(self, rule: Rule) -> tuple[str, str]:
        """Return the test that a row's values are those of another row of the files, and these values."""
        own = {loaded.column.name: loaded for loaded in self.plan.columns}
        cells = [f"({own[name].typed()})" for name in rule.columns]
        filled = " AND ".join(f"{cell} IS NOT NULL" for cell in cells)
        key = f"[{', '.join(f'CAST({cell} AS VARCHAR)' for cell in cells)}]"
        repeated = f"SELECT {key} FROM {self.plan.rows} WHERE {filled} GROUP BY 1 HAVING count(*) > 1"  # noqa: S608
        return f"({filled} AND {key} IN ({repeated}))", key

    def _grouped(self, test: _Test) -> str:
        """Return the query of a column's distinct texts in the rows that pass the test."""
        text = text_of(self.plan.columns[test.place])
        rule = "NULL" if test.rule is None else literal(test.rule)
        first = ", ".join(f"arg_min_null({part}, {ROW_NUMBER})" for part in ("file", "sheet", "line"))
        return (
            f"SELECT {test.place} AS place, {rule} AS rule, left({text}, {MAX_TEXT_CHARACTERS}) AS text,"  # noqa: S608
            f" count(*) AS number, {first}, min({ROW_NUMBER}) AS first_row FROM {self.plan.rows}"
            f" WHERE {test.sql} GROUP BY {text}"
        )

    def _suggestions(self, values: list[_Value]) -> Iterator[tuple[int, list[Suggestion]]]:
        for place in dict.fromkeys(one.place for one in values):
            texts = {at: one.text for at, one in enumerate(values) if one.place == place}
            yield from Suggesting(self.converter, self.plan, place).suggest(texts)

    def _record(
        self, one: _Value, suggestions: list[Suggestion], fault: Fault | None = None
    ) -> dict[str, Any]:
        loaded = self.plan.columns[one.place]
        rule = next((rule for rule in self.plan.rules if rule.id == one.rule), None)
        found = fault or (
            fault_of(rule) if rule else loaded.fault_of(one.text, is_empty=not one.text.strip())
        )
        return {
            "column": loaded.column.name,
            "value": one.text,
            "count": one.rows,
            "first": {"file": self.plan.files[one.file], "sheet": one.sheet, "line": one.line},
            "code": found.code,
            "rule": one.rule,
            "reason": found.reason,
            "suggestions": suggestions,
        }

    def alike(self) -> tuple[int, list[dict[str, Any]]]:
        """Return the texts of which a more frequent one differs in its writing alone, the commonest first."""
        found = [
            pair
            for place, loaded in enumerate(self.plan.columns)
            if loaded.column.type is ColumnType.TEXT and self.asked.column in (None, loaded.column.name)
            for pair in self._alike(place, loaded)
        ]
        found.sort(key=lambda pair: (-pair[0].rows, pair[0].at))
        page = found[self.asked.first : self.asked.first + self.asked.per_page]
        return len(found), [
            self._record(one, [{"to": best, "reason": SAME_TEXT}], _ALIKE) for one, best in page
        ]

    def _alike(self, place: int, loaded: LoadedColumn) -> Iterator[tuple[_Value, str]]:
        """Yield a column's texts that no repair acts on, each with the most frequent of those like it."""
        text = text_of(loaded)
        stands = f" AND {text} IS NOT DISTINCT FROM {loaded.cell}" if loaded.repairs else ""
        query = self._grouped(_Test(place, None, f"{text} <> ''{stands}"))
        rows = self.converter.execute(f"{query} LIMIT {_MOST_FORMS + 1}").fetchall()
        groups: dict[Any, list[_Value]] = {}
        for value in (_Value(*row) for row in rows if len(rows) <= _MOST_FORMS):
            for key in keys_of(value.text):
                groups.setdefault(key, []).append(value)
        told = set[str]()
        for forms in groups.values():
            best = max(forms, key=lambda one: (one.rows, -one.at))
            for one in forms:
                if one.rows < best.rows and one.text not in told:
                    told.add(one.text)
                    yield one, best.text
