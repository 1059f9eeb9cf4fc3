"""Makes tables, and runs exports of them as the state machine does."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.exports import ExportRequest, new_export
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.services import Services
from managed_tables_export.handler import ExportOutcome, run_export

USER_ID = "507f1f77bcf86cd799439014"
FAR = 1e12  # of the monotonic clock


def column(name: str, type_name: str = "text", label: str = "") -> Column:
    """Return a nullable column; its label is its name in capitals unless one is given."""
    return Column(name=name, display_name=label or name.title(), type=ColumnType(type_name), nullable=True)


@dataclass
class ExportMaker:
    """Makes tables and exports of one company."""

    services: Services
    company: ConnectionRecord

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str | None]] = ()) -> TableRecord:
        """Make a table with these rows, values as PostgreSQL's text, under a unique name."""
        name = f"vendas_{secrets.token_hex(4)}"
        table = self.services.table_operations.create(self.company, USER_ID, name, columns)
        self.insert(table, rows)
        return table

    def insert(self, table: TableRecord, rows: Sequence[Sequence[str | None]], first: int = 0) -> None:
        """Add rows to the table, in order, with ids from `first` on."""
        names = [sql.Identifier(one.name) for one in table.columns]
        casts = [sql.SQL("%s::") + sql.SQL(POSTGRES_TYPES[one.type]) for one in table.columns]
        statement = sql.SQL("INSERT INTO {} (id, {}) VALUES (%s::uuid, {})").format(
            sql.Identifier(table.display_name), sql.SQL(", ").join(names), sql.SQL(", ").join(casts)
        )
        with self.services.databases.company_connection(self.company) as connection:
            with connection.cursor() as cursor:
                ids = (f"00000000-0000-7000-8000-{number:012x}" for number in range(first, first + len(rows)))
                cursor.executemany(statement, [[one, *row] for one, row in zip(ids, rows, strict=True)])
            connection.execute(
                "INSERT INTO managed_tables.row_counts VALUES (%s, 0, %s) ON CONFLICT (table_id, slot)"
                " DO UPDATE SET row_count = row_counts.row_count + EXCLUDED.row_count",
                [table.table_id, len(rows)],
            )

    def queue(
        self, table: TableRecord, *, deadline: str = "2999-01-01T00:00:00.000Z", **wanted: Any
    ) -> ExportRecord:
        """Make the record of an export that has not run yet."""
        request = ExportRequest(**wanted)
        export = new_export(self.company.company_id, USER_ID, table, request, self.services.settings.zone)
        export = replace(export, file_name=f"{table.display_name}.{request.format}", deadline=deadline)
        self.services.storage.put_json(export.request_key, asdict(request))
        self.services.exports.create(export)
        return export

    def run(self, export: ExportRecord, *, stop_at: float = FAR) -> ExportOutcome:
        """Run the export once and return the answer for the state machine."""
        return run_export(self.services, export.company_id, export.export_id, stop_at)

    def find(self, export: ExportRecord) -> ExportRecord:
        """Return the record as it is now."""
        found = self.services.exports.find(export.company_id, export.export_id)
        assert found is not None
        return found

    def content(self, export: ExportRecord) -> bytes:
        """Return the bytes of a finished export."""
        return self.services.storage.read_range(self.find(export).key or "", 0, 2**30)

    def export(self, table: TableRecord, **wanted: Any) -> bytes:
        """Export the table and return the file."""
        export = self.queue(table, **wanted)
        assert self.run(export) == {"outcome": "done"}, self.find(export).error
        return self.content(export)

    def objects(self, export: ExportRecord) -> list[str]:
        """Return the keys of the export's objects in the bucket, except the request."""
        prefix = export.request_key.removesuffix("request.json")
        listed = self.services.s3.list_objects_v2(Bucket=self.services.settings.bucket_name, Prefix=prefix)
        return [one["Key"] for one in listed.get("Contents", []) if one["Key"] != export.request_key]
