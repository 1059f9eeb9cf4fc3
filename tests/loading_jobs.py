"""Makes jobs that are ready to be inserted: staged rows, their analysis and a confirmed schema."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from staged_objects import Rows, open_session, write_staged

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobMode, JobRecord, UploadedFile
from managed_tables.catalog.keys import job_key as catalog_key
from managed_tables.clock import timestamp
from managed_tables.documents.statements import NO_ADDITIONS, USUAL_TERMS, Additions, LoadTerms
from managed_tables.ids import new_record_id
from managed_tables.object_keys import ANALYSIS, STAGED_OBJECT, attempt_key, confirmed_name, job_key
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables_analyze.inference.inferring import infer_columns

USER_ID = "507f1f77bcf86cd799439014"
Staged = tuple[bytes, dict[str, Any]]  # a staged object and its analysis
_STAGED: dict[str, Staged] = {}  # of this process, by what they are made of: to infer a schema takes 0.3 s


def column(name: str, type_name: str = "text", *, nullable: bool = True) -> Column:
    """Return a column whose display name is its name."""
    return Column(name=name, display_name=name, type=ColumnType(type_name), nullable=nullable)


def inferred_schema(columns: Sequence[Column], row_count: int) -> dict[str, Any]:
    """Return what analyze would have inferred for rows with these columns."""
    return {
        "suggested_table_name": "vendas",
        "columns": [one.model_dump(mode="json") for one in columns],
        "sample_rows": [],
        "total_row_count_estimate": row_count,
    }


@dataclass
class JobMaker:
    """Makes jobs of one company."""

    services: Services
    company: ConnectionRecord
    folder: Path
    made: list[str] = field(default_factory=list)

    def inserting(
        self,
        rows: Rows,
        columns: Sequence[Column],
        *,
        mode: JobMode = "create",
        table_id: str | None = None,
        display_name: str = "vendas",
        delimiter: str = ";",
        terms: LoadTerms = USUAL_TERMS,
        wanted: Sequence[Column] | None = None,
        additions: Additions = NO_ADDITIONS,
    ) -> str:
        """Return the id of a job whose schema was just confirmed; `columns` name the staged cells.

        `wanted` are the confirmed columns, if `terms` say from which others they are filled.
        """
        job_id = new_record_id()
        self._record(job_id, mode, table_id)
        self._stage(job_id, rows, columns, delimiter)
        confirmed = columns if wanted is None else wanted
        self.confirm(
            job_id, confirmed, display_name=display_name, table_id=table_id, terms=terms, additions=additions
        )
        return job_id

    def confirm(
        self,
        job_id: str,
        columns: Sequence[Column],
        *,
        display_name: str = "vendas",
        table_id: str | None = None,
        terms: LoadTerms = USUAL_TERMS,
        additions: Additions = NO_ADDITIONS,
    ) -> None:
        """Confirm the job's schema, as POST …/confirm does, after the state machine made it wait."""
        services, company_id = self.services, self.company.company_id
        reserved, own = None, set[str]()
        if table_id is None:
            table = services.reconciliation.reserve(self.company, job_id, USER_ID, display_name, columns)
            table_id = reserved = table.table_id
        existing = services.tables.find(company_id, table_id)
        if existing is not None and existing.state == "ready":
            own = {one.name for one in existing.columns}
        key = job_key(company_id, job_id, confirmed_name(self.job(job_id).confirmations + 1, new_record_id()))
        document: dict[str, Any] = {
            "display_name": display_name,
            "columns": [one.model_dump(mode="json") for one in columns],
            "table_id": table_id,
            "own_columns": [one.name for one in columns if one.name in own],
            "terms": terms.as_record(),
            "additions": additions.as_json(),
        }
        if self.job(job_id).mode == "upsert" and existing is not None:
            document["key"] = existing.key
        services.storage.put_json(key, document)
        services.items.change(catalog_key(company_id, job_id), {"status": "waiting_confirm"})
        job = self.job(job_id)
        assert services.jobs.confirm(job, confirmed_key=key, digest=key, reserved_table_id=reserved)

    def job(self, job_id: str) -> JobRecord:
        """Return the job's record."""
        job = self.services.jobs.find(self.company.company_id, job_id)
        assert job is not None
        return job

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the company's database and return its rows."""
        with self.services.databases.open_company_connection(self.company) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _record(self, job_id: str, mode: JobMode, table_id: str | None) -> None:
        now, company_id = timestamp(), self.company.company_id
        self.services.jobs.create(
            JobRecord(
                company_id=company_id,
                job_id=job_id,
                user_id=USER_ID,
                mode=mode,
                status="queued",
                files=(UploadedFile("vendas.csv", f"uploads/{company_id}/{job_id}/00.csv", 1, "text/csv"),),
                expires_at=now,
                created_at=now,
                updated_at=now,
                user_table_id=table_id,
            )
        )
        self.services.jobs.begin_analysis(company_id, job_id)

    def _stage(self, job_id: str, rows: Rows, columns: Sequence[Column], delimiter: str) -> None:
        zone = self.services.settings.default_timezone
        key = repr((rows, columns, delimiter, zone))
        if key not in _STAGED:
            _STAGED[key] = self._made(rows, columns, delimiter, zone)
        self._record_analysis(job_id, *_STAGED[key])

    def _made(self, rows: Rows, columns: Sequence[Column], delimiter: str, zone: str) -> Staged:
        staged = write_staged(self.folder / f"{new_record_id()}.parquet", rows)
        labels = [one.display_name for one in columns]
        with open_session() as connection:
            files = ["vendas.csv"]
            inferred = infer_columns(connection, staged, labels, files, delimiter=delimiter, timezone=zone)
        analysis = {
            "inferred_schema": inferred_schema(columns, len(rows)),
            "files": ["vendas.csv"],
            "columns": [
                {"name": one.name, "formats": asdict(found.formats)}
                for one, found in zip(columns, inferred, strict=True)
            ],
            "row_count": len(rows),
        }
        return staged.read_bytes(), analysis

    def _record_analysis(self, job_id: str, staged: bytes, analysis: dict[str, Any]) -> None:
        """Store a staged object and its analysis, as analyze does."""
        company_id, storage = self.company.company_id, self.services.storage
        staged_key = attempt_key(company_id, job_id, "1", STAGED_OBJECT)
        analysis_key = attempt_key(company_id, job_id, "1", ANALYSIS)
        storage.put_json(analysis_key, analysis)
        storage.client.put_object(Bucket=storage.bucket_name, Key=staged_key, Body=staged)
        assert self.services.jobs.record_analysis(
            self.job(job_id), analysis_key=analysis_key, staged_key=staged_key
        )
