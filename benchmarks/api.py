"""Measures the row routes over HTTP, each beside the bare psycopg statement that does the same."""

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from benchmarks.api_queries import measure_bulk, measure_queries
from benchmarks.measuring import FULL, MANY_CLIENTS, SMALL, Size, Table, in_turns
from benchmarks.measuring import print_row as _row
from benchmarks.served import Client, Served, serve_api
from managed_tables.databases.connecting import PgConnection

COLUMNS = {
    "produto": "text",
    "valor": "decimal",
    "quantidade": "integer",
    "pago": "boolean",
    "dia": "date",
    "quando": "datetime",
}
FIELDS = ", ".join(COLUMNS)


def run(small: bool) -> None:
    """Print the section's table."""
    size = SMALL if small else FULL
    print(
        f"\nAPI: rows over HTTP (one uvicorn worker, client included) beside bare psycopg; {size.rows:,} rows"
    )
    titles = ("p50 ms", "p95 ms", "bare p50", "times", f"p50 of {MANY_CLIENTS}", "req/s")
    print(f"{'operation':44}" + "".join(f"{title:>10}" for title in titles))
    with serve_api() as served:
        client = served.client()
        connection_id = client.json("POST", "/provision")["connection_id"]
        bare = served.connect(connection_id)
        tables = [
            _make_table(client, bare, name, rows) for name, rows in (("mil", 1_000), ("muitas", size.rows))
        ]
        _measure_lists(served, bare, tables, size)
        measure_queries(served, bare, tables[1], size)
        _measure_writes(served, bare, tables[0], size)
        _measure_history(served.client(), bare, tables[0], size)
        measure_bulk(served, bare, tables[0], size)
        bare.close()


def _make_table(client: Client, bare: PgConnection, name: str, rows: int) -> Table:
    columns = [
        {"name": column, "display_name": column, "type": kind, "nullable": True}
        for column, kind in COLUMNS.items()
    ]
    made = client.json("POST", "", {"display_name": name, "columns": columns})
    # UUIDv7 of consecutive milliseconds, as inserts of one row each would have made them
    bare.execute(
        f"INSERT INTO {name} SELECT (lpad(to_hex(1760000000000 + n), 12, '0') || '7000'"  # noqa: S608 (our names)
        " || to_hex((-9223372036854775808) | floor(random() * 4611686018427387904)::bigint))::uuid,"
        " 'produto número ' || n, n * 1.25, n, n % 2 = 0, date '2026-01-01' + n % 1000,"
        " timestamptz '2026-01-01' + n * interval '1.5 seconds'"
        f" FROM generate_series(1, {rows}) AS n".encode()
    )
    bare.execute(
        "INSERT INTO managed_tables.row_counts (table_id, slot, row_count) VALUES (%s, 0, %s)",
        [made["_id"], rows],
    )
    bare.execute(f"VACUUM ANALYZE {name}".encode())
    return Table(f"/{made['_id']}/data", name, rows)


def _measure_lists(served: Served, bare: PgConnection, tables: Sequence[Table], size: Size) -> None:
    for table in tables:
        _row(
            f"list 50 of {table.rows:,} with total",
            served,
            lambda client, table=table: lambda: client.call("GET", table.path),
            lambda table=table: _list_bare(bare, table),
            size.repetitions,
        )
    client = served.client()
    few, many = in_turns([partial(client.call, "GET", table.path) for table in tables], size.repetitions)
    ratio = many.p50 / few.p50
    print(f"{'':4}{tables[1].rows:,} rows beside {tables[0].rows:,}: {ratio:.2f} times (wanted: at most 1.2)")


def _list_bare(bare: PgConnection, table: Table) -> None:
    query = f"SELECT id, {FIELDS} FROM {table.name} ORDER BY id LIMIT 50"  # noqa: S608 (our names)
    bare.execute(query.encode()).fetchall()
    bare.execute(f"SELECT count(*) FROM {table.name}".encode()).fetchone()  # noqa: S608 (our names)


def _measure_writes(served: Served, bare: PgConnection, table: Table, size: Size) -> None:
    numbers = itertools.count()
    columns = f"(id, {FIELDS})"
    one = "(gen_random_uuid(), %s, %s, %s, %s, %s, %s)"
    insert = f"INSERT INTO {table.name} {columns} VALUES {one}".encode()  # noqa: S608 (our names)
    _row(
        "insert 1 row",
        served,
        lambda client: lambda: client.call("POST", table.path, _body([_values(next(numbers))])),
        lambda: bare.execute(insert, _values(next(numbers))),
        size.repetitions,
    )
    update = f"UPDATE {table.name} SET valor = %s WHERE id = %s RETURNING *".encode()  # noqa: S608 (our names)
    ids = _ids(bare, table)
    _row(
        "update 1 row",
        served,
        lambda client: lambda: client.call("PUT", f"{table.path}/{next(ids)}", b'{"valor": 12.75}'),
        lambda: bare.execute(update, ["12.75", next(ids)]).fetchone(),
        size.repetitions,
    )
    delete = f"DELETE FROM {table.name} WHERE id = %s".encode()  # noqa: S608 (our names)
    ids = _ids(bare, table)  # the updates have taken theirs
    _row(
        "delete 1 row",
        served,
        lambda client: lambda: client.call("DELETE", f"{table.path}/{next(ids)}"),
        lambda: bare.execute(delete, [next(ids)]),
        size.repetitions,
    )


def _measure_history(client: Client, bare: PgConnection, kept: Table, size: Size) -> None:
    """Print what an update costs more than in a table without history, and the bytes that a change takes."""
    other = _make_table(client, bare, "sem_historico", kept.rows)
    client.json("PUT", other.path.removesuffix("/data"), {"history": False})
    history = "managed_tables.row_history"
    changes = f"SELECT count(*), pg_total_relation_size('{history}') FROM {history}".encode()  # noqa: S608 (our name)
    count_before, bytes_before = bare.execute(changes).fetchone() or (0, 0)

    def update(table: Table, ids: _Shared, values: Iterator[int]) -> object:
        return client.call("PUT", f"{table.path}/{next(ids)}", b'{"valor": %d.25}' % next(values))

    actions = [partial(update, table, _ids(bare, table), itertools.count()) for table in (kept, other)]
    with_history, without = in_turns(actions, size.repetitions)
    count, total_bytes = bare.execute(changes).fetchone() or (0, 0)
    ratio, size_bytes = with_history.p50 / without.p50, (total_bytes - bytes_before) / (count - count_before)
    print(f"{'':4}update with history beside without: {ratio:.2f} times (wanted: at most 1.15)")
    print(f"{'':4}a change of one cell takes {size_bytes:.0f} bytes")


def _ids(bare: PgConnection, table: Table) -> "_Shared":
    rows = bare.execute(f"SELECT id::text FROM {table.name}".encode()).fetchall()  # noqa: S608 (our names)
    return _Shared(row[0] for row in rows)


class _Shared:
    """An iterator that several threads may draw from."""

    def __init__(self, items: Iterator[str]) -> None:
        self._items = items
        self._lock = threading.Lock()

    def __next__(self) -> str:
        with self._lock:
            return next(self._items)


def _values(number: int) -> list[Any]:
    moment = f"2026-01-01T00:00:{number % 60:02d}Z"
    return [f"produto número {number}", number * 1.25, number, True, "2026-01-01", moment]


def _body(rows: Sequence[Sequence[Any]]) -> bytes:
    return json.dumps({"rows": [dict(zip(COLUMNS, row, strict=True)) for row in rows]}).encode()
