"""Helpers for the tests of loads: jobs of one table, run immediately."""

from dataclasses import dataclass
from typing import Any

from loading_jobs import JobMaker
from loading_jobs import column as loaded_column
from rows_client import RowsCompany
from staged_objects import Rows
from tables_client import TableClient

from managed_tables.catalog.job_records import JobMode
from managed_tables.documents.statements import USUAL_TERMS, LoadTerms
from managed_tables.schema import Column
from managed_tables_insert.handler import run_job


def with_bucket(company: RowsCompany) -> RowsCompany:
    """Return the company with a bucket for its jobs' objects."""
    services = company.services
    services.storage.client.create_bucket(Bucket=services.settings.bucket_name)
    return company


@dataclass(frozen=True)
class Loads:
    """Loads into one table."""

    maker: JobMaker
    table: TableClient

    def run(self, mode: JobMode, rows: Rows, *names: str, terms: LoadTerms = USUAL_TERMS) -> Any:
        """Load rows with cells for these columns, and return the job."""
        own = {one["name"]: one for one in self.table.get()["columns"]}
        columns = [Column.model_validate(own[name]) if name in own else loaded_column(name) for name in names]
        job_id = self.maker.inserting(
            rows, columns, mode=mode, table_id=self.table.table_id, display_name=self.table.name, terms=terms
        )
        run_job(self.maker.services, self.maker.company.company_id, job_id)
        return self.maker.job(job_id)

    def counts(self, mode: JobMode, rows: Rows, *names: str) -> tuple[int, int, int]:
        """Load rows and return how many were inserted, updated and unchanged."""
        job = self.run(mode, rows, *names)
        assert job.status == "done", job.error
        return job.result.inserted, job.result.updated, job.result.unchanged

    def rows(self, *names: str) -> list[Any]:
        """Return the table's cells in these columns, in order, and check its row count."""
        total = self.table.get()["row_count"]
        found = self.table.values(*names)
        assert total == len(found)
        return found

    def undo(self, job: Any, **body: Any) -> Any:
        """Ask for the job's undo and return the answer."""
        return self.table.company.http.post(
            f"/v1/managed-tables/upload-jobs/{job.job_id}/undo",
            json=body or None,
            headers=self.table.rows.headers(),
        )

    def undone(self, job: Any, **body: Any) -> tuple[int, int, int]:
        """Undo the job and return how many rows were removed, restored and kept."""
        answer = self.undo(job, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()["removed"], answer.json()["restored"], answer.json()["kept"]
