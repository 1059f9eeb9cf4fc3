"""The bare FastAPI app that the list of rows is measured beside: a connection a thread, and the same SQL.

`/rows` lets FastAPI write the JSON of what psycopg gives; `/json` sends what PostgreSQL has written.
"""

import os
import threading
from typing import Any

import psycopg
from fastapi import FastAPI
from psycopg.rows import dict_row
from starlette.responses import Response

TABLE = "mil"
_PAGE = "SELECT id, produto, valor, quantidade, pago, dia, quando FROM mil ORDER BY id LIMIT 50"
_TOTAL = "(SELECT count(*) FROM mil)"
_JSON = f"SELECT {_TOTAL}, (SELECT json_agg(page)::text FROM ({_PAGE}) AS page)"  # noqa: S608 (our names)


def make_app() -> FastAPI:
    """Return the app on the database that `BARE_DSN` names."""
    app = FastAPI()
    local = threading.local()

    def connection() -> psycopg.Connection[Any]:
        if not hasattr(local, "connection"):
            local.connection = psycopg.connect(os.environ["BARE_DSN"], autocommit=True)
        opened: psycopg.Connection[Any] = local.connection
        return opened

    @app.get("/rows")
    def list_rows() -> dict[str, Any]:
        cursor = connection().cursor(row_factory=dict_row)
        records = cursor.execute(_PAGE).fetchall()
        (total,) = connection().execute("SELECT count(*) FROM mil").fetchone() or (0,)
        return {"total": total, "records": records}

    @app.get("/json")
    def list_json() -> Response:
        total, records = connection().execute(_JSON.encode()).fetchone() or (0, "[]")
        return Response(f'{{"total":{total},"records":{records}}}', media_type="application/json")

    return app
