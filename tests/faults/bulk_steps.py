"""Bulk changes of rows, and inserts that return their rows, repeated until answered."""

import json
from typing import Any

from steps import OLD, OLD_NUMBERS, TableOperation
from worlds import World

from managed_tables.ids import NOBODY
from managed_tables.tables.definitions import TableChange
from managed_tables_api.rows import bulk_changes
from managed_tables_api.rows.inserts import IdempotencyKey, InsertedRows, NewRows, insert


class InsertReturning(TableOperation):
    """Rows inserted through the API in their own transaction, with their ids returned."""

    name = "insert returning"

    def operate(self, world: World) -> InsertedRows:
        new = NewRows(OLD, IdempotencyKey("pedido", "digest"), returned="ids")
        return world.fresh_services().named_table(world.company_id, self.table_id, NOBODY).do(insert, new)

    def check(self, world: World, value: Any) -> None:
        found = world.query("SELECT n, id::text FROM vendas ORDER BY id")
        assert [n for n, _ in found] == OLD_NUMBERS * 2
        assert (value.count, json.loads(value.returned)) == (len(OLD), [row_id for _, row_id in found[3:]])


class InsertOnConflict(TableOperation):
    """Rows with an existing key or a new one: updated or inserted once; a repeat gets the first answer."""

    name = "insert on conflict"

    def set_up(self, world: World) -> Any:
        step = super().set_up(world)
        change = TableChange(key=("n",))
        world.services.table_operations.update(world.company, self.table_id, change)
        return step

    def operate(self, world: World) -> InsertedRows:
        rows = [{"n": n, "valor": 7, "texto": "nova"} for n in (*OLD_NUMBERS[1:], 0)]
        new = NewRows(rows, IdempotencyKey("pedido", "digest"), on_conflict="update")
        return world.fresh_services().named_table(world.company_id, self.table_id, NOBODY).do(insert, new)

    def check(self, world: World, value: Any) -> None:
        assert (value.count, value.updated, value.ignored) == (1, 2, 0)
        found = world.query("SELECT n, valor::int, texto FROM vendas ORDER BY id")
        new = [(n, 7, "nova") for n in (*OLD_NUMBERS[1:], 0)]
        assert found == [(OLD_NUMBERS[0], 1, "antiga"), *new]


class BulkUpdate(TableOperation):
    """All rows by their ids: all are changed once it is answered, all or none before."""

    name = "bulk update"

    def set_up(self, world: World) -> Any:
        step = super().set_up(world)
        ids = [row_id for (row_id,) in world.query("SELECT id::text FROM vendas ORDER BY id")]
        self.body = {"rows": [{"id": row_id, "valor": 7} for row_id in ids]}
        return step

    def operate(self, world: World) -> int:
        values = {valor for (valor,) in world.query("SELECT valor::int FROM vendas")}
        assert values in ({1}, {7}), "partially changed"
        table = world.fresh_services().named_table(world.company_id, self.table_id, NOBODY)
        return table.do(bulk_changes.update, self.body)

    def check(self, world: World, value: Any) -> None:
        assert value == len(OLD)
        assert world.query("SELECT n, valor::int FROM vendas ORDER BY id") == [(n, 7) for n in OLD_NUMBERS]


class BulkDelete(TableOperation):
    """Rows by a condition: gone once it is answered, and the stored row count right."""

    name = "bulk delete"

    def operate(self, world: World) -> int:
        body = {"where": {"column": "n", "op": "lt", "value": -1}}
        table = world.fresh_services().named_table(world.company_id, self.table_id, NOBODY)
        return table.do(bulk_changes.delete, body)

    def check(self, world: World, value: Any) -> None:
        assert value in (0, 2)  # a repeated request finds none left
        assert world.query("SELECT n FROM vendas") == [(-1,)]
