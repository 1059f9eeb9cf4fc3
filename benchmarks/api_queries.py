"""Measure filters, groups and bulk changes over HTTP, each beside the same SQL by bare psycopg."""

import itertools
import json
from collections.abc import Sequence

from benchmarks.measuring import Size, Table, print_row
from benchmarks.served import Served
from managed_tables.databases.connecting import PgConnection

BATCH_ROWS = 1_000


def measure_queries(served: Served, bare: PgConnection, table: Table, size: Size) -> None:
    """Print a filter on an indexed column of many rows, and aggregates over all of them by groups."""
    served.client().json("PUT", table.path.removesuffix("/data"), {"indexes": [["quantidade"]]})
    bare.execute(f"ANALYZE {table.name}".encode())
    numbers, bare_numbers = itertools.count(1), itertools.count(1)
    select = f"SELECT * FROM {table.name} WHERE quantidade = %s ORDER BY id LIMIT 51".encode()  # noqa: S608 (our names)
    total = f"SELECT count(*) FROM {table.name} WHERE quantidade = %s".encode()  # noqa: S608 (our names)

    def find_bare() -> None:
        number = next(bare_numbers) * 997 % table.rows
        bare.execute(select, [number]).fetchall()
        bare.execute(total, [number]).fetchone()

    print_row(
        f"filter on an indexed column of {table.rows:,}",
        served,
        lambda client: (
            lambda: client.call(
                "GET", f"{table.path}?filter[quantidade][eq]={next(numbers) * 997 % table.rows}"
            )
        ),
        find_bare,
        size.repetitions,
    )
    groups = {"group_by": ["dia"], "aggregates": [{"fn": "sum", "column": "valor"}, {"fn": "count"}]}
    body = json.dumps({**groups, "sort": ["dia"], "per_page": 50}).encode()
    grouped = f"SELECT dia, sum(valor), count(*) FROM {table.name} GROUP BY dia ORDER BY dia LIMIT 51"  # noqa: S608
    print_row(
        f"sum and count by group over {table.rows:,}",
        served,
        lambda client: lambda: client.call("POST", f"{table.path}/query", body),
        lambda: bare.execute(grouped.encode()).fetchall(),
        max(size.batches // 4, 5),
    )


def measure_bulk(served: Served, bare: PgConnection, table: Table, size: Size) -> None:
    """Print the update of many rows by their ids, and their upsert by a key."""
    some = f"SELECT id::text FROM {table.name} LIMIT {BATCH_ROWS}"  # noqa: S608 (our names)
    ids = [row[0] for row in bare.execute(some.encode()).fetchall()]
    numbers = itertools.count()
    update = (
        f"UPDATE {table.name} AS t SET valor = r.valor"  # noqa: S608 (our names)
        " FROM unnest(%s::uuid[], %s::numeric[]) AS r (id, valor) WHERE t.id = r.id"
    ).encode()
    print_row(
        f"update {len(ids):,} rows in one request",
        served,
        lambda client: lambda: client.call("PATCH", table.path, _updates(ids, next(numbers))),
        lambda: bare.execute(update, [ids, [f"{next(numbers)}.25"] * len(ids)]),
        size.batches,
    )
    _measure_upsert(served, bare, size)


def _updates(ids: Sequence[str], number: int) -> bytes:
    rows = ",".join(f'{{"id":"{row_id}","valor":{number}.25}}' for row_id in ids)
    return f'{{"rows":[{rows}]}}'.encode()


def _measure_upsert(served: Served, bare: PgConnection, size: Size) -> None:
    client = served.client()
    columns = [
        {"name": name, "display_name": name, "type": kind, "nullable": True}
        for name, kind in (("codigo", "integer"), ("nome", "text"), ("preco", "decimal"))
    ]
    made = client.json("POST", "", {"display_name": "precos", "columns": columns})
    client.json("PUT", f"/{made['_id']}", {"key": ["codigo"]})
    numbers = itertools.count()
    statement = (
        b"INSERT INTO precos (id, codigo, nome, preco) SELECT gen_random_uuid(), * FROM"
        b" unnest(%s::bigint[], %s::text[], %s::numeric[]) ON CONFLICT (codigo)"
        b" DO UPDATE SET nome = EXCLUDED.nome, preco = EXCLUDED.preco"
    )
    codes = list(range(BATCH_ROWS))

    def upsert_bare() -> None:
        number = next(numbers)
        bare.execute(statement, [codes, [f"produto {code}" for code in codes], [number + 0.25] * BATCH_ROWS])

    print_row(
        f"upsert {BATCH_ROWS:,} rows in one request",
        served,
        lambda client: (
            lambda: client.call(
                "POST", f"/{made['_id']}/data?on_conflict=update", _prices(codes, next(numbers))
            )
        ),
        upsert_bare,
        size.batches,
    )


def _prices(codes: Sequence[int], number: int) -> bytes:
    rows = [{"codigo": code, "nome": f"produto {code}", "preco": number + 0.25} for code in codes]
    return json.dumps({"rows": rows}).encode()
