"""Count the rows of a job's files that break the rules of their table, and show where the first are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from managed_tables.conversion.columns import build_conversion
from managed_tables.conversion.sql_text import choose, identifier, literal
from managed_tables.documents.analyses import CheckExample, RuleCheck
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.rules.compiling import is_broken
from managed_tables.rules.engines import Cell, Duckdb
from managed_tables.rules.rule import Rule
from managed_tables.schema import ColumnType
from managed_tables_analyze.append_plan import CELL, FedColumn
from managed_tables_analyze.inference.tallies import beginning

MAX_EXAMPLES = 20
_MAX_NEAREST = 3
_LIKE = 0.8  # of 1, by Jaro and Winkler: below it lie other words


@dataclass(frozen=True)
class FileChecks:
    """The files' columns by the names of those that they feed, and what is known of other tables' values."""

    fed: Mapping[str, FedColumn]
    files: Sequence[str]
    zone: str
    today: date
    references: Mapping[str, Sequence[str]]  # by the ids of rules

    def of(self, rules: Sequence[Rule]) -> list[RuleCheck]:
        """Return what became of each rule that the files alone can tell: those of columns that they have."""
        judged = [rule for rule in rules if self._is_judged(rule)]
        if not judged:
            return []
        tests = [self._broken(rule) for rule in judged]
        counts = ", ".join(f"count(*) FILTER (WHERE {test})" for test in tests)
        rows = self._rows(judged)
        connection = next(iter(self.fed.values())).connection
        found = connection.execute(f"SELECT {counts} FROM {rows}").fetchone() or ()  # noqa: S608 - own SQL
        return [
            RuleCheck(
                rule=rule.id,
                kind=rule.kind,
                severity=rule.severity,
                columns=list(rule.columns),
                broken=count,
                examples=list(self._examples(rule, rows, test)) if count else [],
            )
            for rule, test, count in zip(judged, tests, found, strict=True)
        ]

    def _is_judged(self, rule: Rule) -> bool:
        is_known = rule.kind != "in_table" or rule.id in self.references
        return is_known and self.fed.keys() >= set(rule.columns)

    def _rows(self, rules: Sequence[Rule]) -> str:
        """Return the SQL relation of the rows with the typed values that the rules judge, by column."""
        names = list(dict.fromkeys(name for rule in rules for name in rule.columns))
        path = self.fed[names[0]].path
        made = ", ".join(f"{self.fed[name].made} AS x{place}" for place, name in enumerate(names))
        values = ", ".join(
            f"{_typed(self.fed[name], f'x{place}')} AS {identifier(name)}" for place, name in enumerate(names)
        )
        place = f"{ROW_NUMBER}, file, sheet, line"
        cells = ", ".join(f"c{self.fed[name].number} AS {_cell(name)}" for name in names)
        typed = f"SELECT {place}, {cells}, {values} FROM (SELECT *, {made} FROM {staged_rows(path)})"  # noqa: S608
        twice = "".join(
            f", row_number() OVER (PARTITION BY {_names(rule)} ORDER BY {ROW_NUMBER}) > 1 AS {_twice(rule)}"
            for rule in rules
            if rule.kind == "unique"
        )
        return f"(SELECT *{twice} FROM ({typed}))"  # noqa: S608 - own SQL

    def _broken(self, rule: Rule) -> str:
        filled = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in rule.columns)
        if rule.kind == "unique":
            return f"({filled} AND {_twice(rule)})"
        if rule.kind == "in_table":
            known = ", ".join(map(literal, self.references[rule.id]))
            return f"({filled} AND NOT list_contains([{known}]::VARCHAR[], {_text(rule)}))"
        cells = {name: Cell(identifier(name), _type_of(self.fed[name])) for name in rule.columns}
        return is_broken(rule, cells, Duckdb(self.zone, self.today))

    def _examples(self, rule: Rule, rows: str, test: str) -> Iterator[CheckExample]:
        name = rule.columns[0]
        connection = self.fed[name].connection
        found = connection.execute(
            f"SELECT file, sheet, line, {beginning(_cell(name))} FROM {rows} WHERE {test}"  # noqa: S608
            f" ORDER BY {ROW_NUMBER} LIMIT {MAX_EXAMPLES}"
        )
        broken = found.fetchall()
        nearest = None
        if rule.kind == "in_table":
            nearest = self._nearest(rule, [value.strip() for *_, value in broken])
        for file, sheet, line, value in broken:
            near = {} if nearest is None else {"nearest": nearest.get(value.strip(), [])}
            yield CheckExample(
                file=self.files[file], sheet=sheet, line=line, column=name, value=value, **near
            )

    def _nearest(self, rule: Rule, values: Iterable[str]) -> dict[str, list[str]]:
        """Return the values of the other table that are most like each of some that it does not have."""
        found = self.fed[rule.columns[0]].connection.execute(
            "SELECT value, list_slice(list(known ORDER BY likeness DESC, known), 1, $4) FROM ("
            " SELECT value, known,"
            " jaro_winkler_similarity(lower(strip_accents(known)), lower(strip_accents(value))) AS likeness"
            " FROM unnest($1::VARCHAR[]) AS sought(value), unnest($2::VARCHAR[]) AS other(known))"
            " WHERE likeness >= $3 GROUP BY value",
            [[*{*values}], list(self.references[rule.id]), _LIKE, _MAX_NEAREST],
        )
        return dict(found.fetchall())


def _type_of(one: FedColumn) -> ColumnType:
    return one.table.type if one.table else one.inferred.type


def typed_cells(one: FedColumn) -> str:
    """Return the SQL of the typed values of a column, over its `rows`."""
    return _typed(one, CELL)


def _typed(one: FedColumn, cell: str) -> str:
    """Return the typed value of a cell, NULL where it is empty or does not fit: that is told elsewhere."""
    kind = _type_of(one)
    conversion = build_conversion(cell, kind, one.staged.formats)
    if one.staged.proven and kind is one.inferred.type and one.made == f"c{one.number}":
        return choose((f"{cell} IS NULL", "NULL"), otherwise=conversion.typed)
    empty = f"{cell} IS NULL OR {cell} = ''"
    return choose((empty, "NULL"), (conversion.converts, conversion.typed), otherwise="NULL")


def _text(rule: Rule) -> str:
    return f"CAST({identifier(rule.columns[0])} AS VARCHAR)"


def _cell(name: str) -> str:
    return identifier(f"$cell {name}")


def _twice(rule: Rule) -> str:
    return identifier(f"$twice {rule.id}")


def _names(rule: Rule) -> str:
    return ", ".join(map(identifier, rule.columns))
