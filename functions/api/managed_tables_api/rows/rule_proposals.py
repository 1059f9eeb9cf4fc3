"""Propose rules that a table's rows keep: by the newest of them, and by what its last loads brought.

Nothing is imposed: a person accepts one by sending it in `rules`, or dismisses it for good. Of 1,200 columns
of real workbooks 47 held an error, so that a rule is proposed only where many different values keep it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from psycopg import sql
from pydantic import Field, PlainSerializer

from managed_tables import exact_json
from managed_tables.databases.statements import compose
from managed_tables.documents.document import Count, Document, Sentence
from managed_tables.rules.rule import MAX_RULE_ID_CHARACTERS, TODAY, NamedKind, Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.physical import physical_name
from managed_tables.wording import number
from managed_tables_api.http.requests import StrictModel
from managed_tables_api.rows.running import Table
from managed_tables_api.rows.statements import compose_statement

ROWS_SEEN = 20_000  # the newest
FEWEST_LOADS, FEWEST_ROWS = 3, 200  # of which one is enough
MAX_COLUMNS_SEEN = 200
MAX_TIMES_COMPARED = 6
MAX_LISTED = 20  # values of a list that is proposed
MAX_TABLES = 50  # whose keys are looked at

_DIGITS = MAX_RULE_ID_CHARACTERS - 14  # of a digest, in the id of a proposal
_CHECKED: Sequence[NamedKind] = ("cpf", "cnpj", "ean", "nfe_key")
# When the row of an id was written.
_WRITTEN = (
    "to_timestamp(('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint / 1000.0)"
    " AT TIME ZONE {zone}"
)


class Proposal(Document):
    """A rule that the table's rows keep, and on what grounds."""

    rule: Annotated[Rule, PlainSerializer(lambda rule: rule.as_document())]
    evidence: Sentence
    loads: Count = Field(description="Quantos envios a tabela recebeu")
    rows: Count = Field(description="Quantas linhas foram olhadas")


class ProposalsAnswer(Document):
    """What may be proposed now."""

    records: list[Proposal]


class Dismissal(StrictModel):
    """The proposal that is not to come again: its rule, or that rule's id."""

    rule: Rule | str


@dataclass(frozen=True)
class _Candidate:
    """A rule, the aggregate that says whether the newest rows keep it, and the words for that."""

    rule: Rule
    test: sql.Composed
    evidence: str


def meaning_of(rule: Rule) -> str:
    """Return what a rule is about, whatever its bounds and values are by now."""
    parts = {name: getattr(rule, name) for name in ("kind", "columns", "name", "table", "column", "op")}
    return exact_json.dumps({**parts, "columns": list(rule.columns)}).decode()


def propose(table: Table) -> ProposalsAnswer:
    """Return the rules that the rows keep, and that the table has not and nobody has dismissed."""
    loads, dismissed, tables = _look_around(table)
    candidates = list(_candidates(table))
    rows, kept = _keep(table, [one.test for one in candidates])
    if loads < FEWEST_LOADS and rows < FEWEST_ROWS:
        return ProposalsAnswer(records=[])
    completed = (
        _complete(table, one, tables) for one, is_kept in zip(candidates, kept, strict=True) if is_kept
    )
    wanted = [one for one in completed if one is not None and meaning_of(one.rule) not in dismissed]
    return ProposalsAnswer(
        records=[Proposal(rule=one.rule, evidence=one.evidence, loads=loads, rows=rows) for one in wanted]
    )


def dismiss(table: Table, rule: Rule | str) -> None:
    """Remember that a proposal is not wanted."""
    if isinstance(rule, str):
        proposed = {one.rule.id: one.rule for one in propose(table).records}
        if rule not in proposed:
            return
        rule = proposed[rule]
    statement = compose_statement(
        "WITH {held}, kept AS (INSERT INTO managed_tables.dismissed_rules (table_id, meaning)"
        " SELECT %(table_id)s::text, %(meaning)s::text FROM definition ON CONFLICT DO NOTHING RETURNING 1)"
        " SELECT 1, (SELECT count(*) FROM kept) FROM definition"
    )
    table.run(statement, {"meaning": meaning_of(rule)}, repeatable=True)


def _learned(**parts: Any) -> Rule:
    """Return a rule that is always called the same."""
    rule = Rule(origin="learned", **parts)
    digest = hashlib.sha256(meaning_of(rule).encode()).hexdigest()
    return rule.model_copy(update={"id": f"r_{digest[:_DIGITS]}"})


def _look_around(table: Table) -> tuple[int, set[str], list[tuple[str, str, str, str]]]:
    """Return how many loads there were, what was dismissed, and the other tables whose key is one column.

    Of each of these id, name, the key and its type.
    """
    statement = compose_statement(
        "WITH {held} SELECT 1, (SELECT count(*) FROM managed_tables.applied_jobs WHERE row_count > 0"
        " AND table_id = %(table_id)s::text),"
        " ARRAY(SELECT meaning FROM managed_tables.dismissed_rules WHERE table_id = %(table_id)s::text),"
        " ARRAY(SELECT ARRAY[others.table_id, display_name, column_of ->> 'name', column_of ->> 'type']"
        " FROM managed_tables.tables AS others, jsonb_array_elements(columns) AS column_of"
        " WHERE deleted_at IS NULL AND others.table_id <> %(table_id)s::text AND jsonb_array_length(key) = 1"
        " AND column_of ->> 'name' = key ->> 0 ORDER BY display_name LIMIT {tables}) FROM definition",
        tables=MAX_TABLES,
    )
    _, loads, dismissed, tables = table.read(statement, {})[0]
    return loads, set(dismissed), [(one[0], one[1], one[2], one[3]) for one in tables]


def _keep(table: Table, tests: Sequence[sql.Composed]) -> tuple[int, list[bool]]:
    """Return how many of the newest rows were looked at, and whether they keep each of the tests."""
    statement = compose_statement(
        "WITH {held}, newest AS MATERIALIZED (SELECT {t}.* FROM {table} AS {t} ORDER BY {t}.id DESC"
        " LIMIT {limit}) SELECT 1, count(*), ARRAY[{tests}]::boolean[] FROM newest"
        " HAVING EXISTS (SELECT FROM definition)",
        table.definition,
        limit=ROWS_SEEN,
        tests=[compose("coalesce({}, false)", test) for test in tests],
    )
    _, rows, kept = table.read(statement, {})[0]
    return rows, list(kept)


def _candidates(table: Table) -> Iterator[_Candidate]:
    """Yield what may be proposed beside the table's rules, each with the test that the rows keep it."""
    known = {(rule.kind, rule.columns) for rule in table.definition.rules}
    for one in _found_in(table):
        if (one.rule.kind, one.rule.columns) not in known:
            yield one


def _found_in(table: Table) -> Iterator[_Candidate]:
    columns = table.definition.columns[:MAX_COLUMNS_SEEN]
    for column in columns:
        for find in _FINDERS[column.type]:
            yield from find(column, table)
    times = [column for column in columns if column.type.is_time][:MAX_TIMES_COMPARED]
    for first in times:
        for second in times:
            if first.type is second.type and first.name != second.name:
                yield _in_order(first, second)


def _in_order(first: Column, second: Column) -> _Candidate:
    form = (
        "count(*) FILTER (WHERE {a:i} IS NOT NULL AND {b:i} IS NOT NULL) >= 50 AND bool_and({a:i} <= {b:i})"
        " AND count(*) FILTER (WHERE {a:i} < {b:i}) >= 10 AND count(DISTINCT {b:i}) >= 10"
    )
    rule = _learned(kind="compare", columns=(first.name, second.name), op="lte")
    evidence = f"{first.display_name} nunca vem depois de {second.display_name}"
    return _Candidate(rule, compose(form, a=first.name, b=second.name), evidence)


def _named(column: Column, _: Table) -> Iterator[_Candidate]:
    """Yield documents and codes whose check digits are right in every row."""
    for name in _CHECKED:
        form = "count(DISTINCT {c:i}) >= 20 AND bool_and(managed_tables.{test:i}({c:i}::text))"
        rule = _learned(kind="named", columns=(column.name,), name=name)
        evidence = f"o dígito verificador está certo em todas as linhas ({name})"
        yield _Candidate(rule, compose(form, c=column.name, test=f"is_{name}"), evidence)


def _sign(column: Column, _: Table) -> Iterator[_Candidate]:
    """Yield numbers that are never below zero."""
    form = "count({c:i}) >= 50 AND count(DISTINCT {c:i}) >= 10 AND min({c:i}) >= 0"
    rule = _learned(kind="range", columns=(column.name,), min=0)
    yield _Candidate(rule, compose(form, c=column.name), "nenhum valor é negativo")


def _past(column: Column, table: Table) -> Iterator[_Candidate]:
    """Yield dates that no row had ahead of the day on which it was written."""
    zone = table.settings.zone.key
    cell = compose("{:i}", column.name)
    day = cell if column.type is ColumnType.DATE else compose("({} AT TIME ZONE {})", cell, zone)
    form = "count({c}) >= 50 AND count(DISTINCT {c}) >= 5 AND bool_and({day}::date <= ({written})::date)"
    test = compose(form, c=cell, day=day, written=compose(_WRITTEN, zone=zone))
    rule = _learned(kind="range", columns=(column.name,), max=TODAY)
    yield _Candidate(rule, test, "nenhuma data é futura")


def _unique(column: Column, _: Table) -> Iterator[_Candidate]:
    """Yield codes that no two rows share."""
    form = "count({c:i}) >= 200 AND count(DISTINCT {c:i}) = count(*) AND max(length({c:i}::text)) <= 100"
    rule = _learned(kind="unique", columns=(column.name,))
    yield _Candidate(rule, compose(form, c=column.name), "nenhum valor se repete")


def _listed(column: Column, _: Table) -> Iterator[_Candidate]:
    """Yield texts of few values, each there many times; which they are is found once they are few."""
    form = (
        "count({c:i}) >= 100 AND count(DISTINCT {c:i}) BETWEEN 2 AND {most}"
        " AND count({c:i}) >= 20 * count(DISTINCT {c:i})"
    )
    rule = _learned(kind="list", columns=(column.name,))
    yield _Candidate(rule, compose(form, c=column.name, most=MAX_LISTED), "")


def _referring(column: Column, _: Table) -> Iterator[_Candidate]:
    """Yield columns whose values may all be those of another table's key; whether they are is asked later."""
    form = "count({c:i}) >= 50 AND count(DISTINCT {c:i}) >= 3"
    rule = _learned(kind="in_table", columns=(column.name,))
    yield _Candidate(rule, compose(form, c=column.name), "")


_Finder = Callable[[Column, Table], Iterator[_Candidate]]
_FINDERS: dict[ColumnType, tuple[_Finder, ...]] = {
    ColumnType.TEXT: (_named, _unique, _listed, _referring),
    ColumnType.INTEGER: (_sign, _unique),
    ColumnType.DECIMAL: (_sign,),
    ColumnType.BOOLEAN: (),
    ColumnType.DATE: (_past,),
    ColumnType.DATETIME: (_past,),
}


def _complete(
    table: Table, one: _Candidate, tables: Sequence[tuple[str, str, str, str]]
) -> _Candidate | None:
    """Return the candidate with what only another statement tells; None where it does not hold."""
    if one.rule.kind == "list":
        return _complete_list(table, one)
    if one.rule.kind == "in_table":
        return _complete_reference(table, one, [other for other in tables if other[3] == ColumnType.TEXT])
    return one


def _complete_list(table: Table, one: _Candidate) -> _Candidate | None:
    """Return the list of a column's values, unless the last two loads brought one; else the last half did."""
    name = one.rule.columns[0]
    statement = compose_statement(
        "WITH {held}, since AS (SELECT coalesce("
        "(SELECT first_id FROM managed_tables.applied_jobs WHERE table_id = %(table_id)s::text"
        " AND row_count > 0 AND (SELECT count(*) FROM managed_tables.applied_jobs AS loads"
        " WHERE loads.table_id = %(table_id)s::text AND loads.row_count > 0) >= {fewest}"
        " ORDER BY first_id DESC OFFSET 1 LIMIT 1),"
        " (SELECT id FROM {table} ORDER BY id OFFSET (SELECT count(*) / 2 FROM {table}) LIMIT 1)) AS id)"
        " SELECT 1, array_agg(DISTINCT {name:i}), count(DISTINCT {name:i}) = count(DISTINCT {name:i})"
        " FILTER (WHERE {t}.id < since.id) FROM since, {table} AS {t} HAVING EXISTS (SELECT FROM definition)",
        table.definition,
        name=name,
        fewest=FEWEST_LOADS,
    )
    _, values, is_settled = table.read(statement, {})[0]
    values = sorted(value for value in values if value is not None)
    if not is_settled or len(values) > MAX_LISTED:
        return None
    rule = _learned(kind="list", columns=(name,), values=tuple(values))
    evidence = f"são sempre os mesmos {number(len(values))} valores, sem novos nos últimos envios"
    return _Candidate(rule, one.test, evidence)


def _complete_reference(
    table: Table, one: _Candidate, tables: Sequence[tuple[str, str, str, str]]
) -> _Candidate | None:
    """Return the reference to the first table whose key has all of the column's values."""
    name = one.rule.columns[0]
    for table_id, display_name, key, _ in tables:
        statement = compose_statement(
            "WITH {held} SELECT 1, NOT EXISTS (SELECT {name:i} FROM {table} WHERE {name:i} IS NOT NULL"
            " EXCEPT SELECT {key:i} FROM {other}) FROM definition",
            table.definition,
            name=name,
            key=key,
            other=physical_name(display_name),
        )
        if table.read(statement, {})[0][1]:
            rule = _learned(kind="in_table", columns=(name,), table=table_id, column=key)
            evidence = f"todos os valores estão na coluna {key} da tabela {display_name}"
            return _Candidate(rule, one.test, evidence)
    return None
