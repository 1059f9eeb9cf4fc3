"""Count the rows of a table that break rules, its own or others, and show the first of them."""

from collections.abc import Sequence
from typing import Annotated

from psycopg import sql
from pydantic import Field

from managed_tables import exact_json
from managed_tables.databases.statements import compose
from managed_tables.documents.document import Count, Document
from managed_tables.rules.rule import MAX_RULES, Rule
from managed_tables_api.http.requests import StrictModel
from managed_tables_api.rows.broken_rules import broken_test
from managed_tables_api.rows.row_models import Row
from managed_tables_api.rows.running import Table
from managed_tables_api.rows.statements import TABLE, Shown, compose_reading

MAX_EXAMPLES = 20


class RulesToCheck(StrictModel):
    """Rules that the table does not need to have; without any, those that it has."""

    rules: Annotated[list[Rule], Field(max_length=MAX_RULES)] | None = Field(
        default=None, description="Sem elas, as da tabela"
    )


class RuleCheck(Document):
    """How many of the table's rows break a rule."""

    rule: str = Field(description="`id` da regra")
    rows: Count
    broken: Count
    examples: list[Row] = Field(max_length=MAX_EXAMPLES, description="As primeiras que a quebram")


class RuleChecksAnswer(Document):
    """What became of each rule, in their order."""

    records: list[RuleCheck]


def check_rules(table: Table, rules: Sequence[Rule]) -> RuleChecksAnswer:
    """Return how many rows break each of the rules, in one scan, and the first of these rows.

    Without rules the database is asked as well: it knows whether the table has some by now.
    """
    definition, zone = table.definition, table.settings.zone.key
    tests = [broken_test(definition, rule, TABLE.as_string(), zone) for rule in rules]
    counts = [compose("count(*) FILTER (WHERE {})", test) for test in tests]
    statement = compose_reading(
        "SELECT count(*), ARRAY[{counts}]::bigint[] FROM {table} AS {t}", definition, counts=counts
    )
    _, rows, broken = table.read(statement, {})[0]
    return RuleChecksAnswer(
        records=[
            RuleCheck(
                rule=rule.id,
                rows=rows,
                broken=count,
                examples=_examples(table, test) if count else [],
            )
            for rule, test, count in zip(rules, tests, broken, strict=True)
        ]
    )


def _examples(table: Table, test: sql.Composable) -> list[Row]:
    statement = compose_reading(
        "SELECT {json} FROM {table} AS {t} WHERE {test} ORDER BY {t}.id LIMIT {limit}",
        table.definition,
        json=Shown(table.definition.columns).json(TABLE, stored=True),
        test=test,
        limit=MAX_EXAMPLES,
    )
    found = [text for _, text in table.read(statement, {}) if text is not None]
    table.require_sendable(found)
    return [Row.read(exact_json.loads(text.encode())) for text in found]
