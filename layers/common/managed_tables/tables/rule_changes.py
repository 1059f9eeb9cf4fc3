"""Record who changed which rules of a table, in the transaction that does: a part of the table's history.

Which rule it was, not what it said: values of a rule may name people, and history outlasts them.
"""

from collections.abc import Iterator

from psycopg.types.json import Jsonb

from managed_tables.catalog.tables import Applied, Rules
from managed_tables.databases.connecting import PgConnection
from managed_tables.rules.rule import Rule


def record_rule_changes(
    connection: PgConnection, table_id: str, before: Rules, after: Applied, user_id: str | None
) -> None:
    """Record what became of the rules, if the table keeps history; `before` has the names of now."""
    for action, rule in _changes(before, after.rules) if after.history else ():
        connection.execute(
            "INSERT INTO managed_tables.rule_changes (table_id, user_id, action, rule_id, kind, columns)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [table_id, user_id, action, rule.id, rule.kind, Jsonb(list(rule.columns))],
        )


def _changes(before: Rules, after: Rules) -> Iterator[tuple[str, Rule]]:
    was, now = ({rule.id: rule for rule in rules} for rules in (before, after))
    for rule in after:
        if rule.id not in was:
            yield "added", rule
        elif rule != was[rule.id]:
            yield "changed", rule
    for rule in before:
        if rule.id not in now:
            yield "removed", rule
