"""Take files through the steps of a job, and a person's confirmation between them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from rows_client import RowsCompany
from tables_client import TableClient

from managed_tables.catalog.job_records import JobMode, JobRecord, UploadedFile
from managed_tables.catalog.keys import job_key
from managed_tables.clock import timestamp
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.statements import LoadTerms, WantedSchema
from managed_tables.ids import new_record_id
from managed_tables.jobs.confirmation import confirm_job
from managed_tables.object_keys import upload_key
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.handler import analyze_job
from managed_tables_insert.errands import recall_for
from managed_tables_insert.handler import run_job

REPORT = "Relatório de vendas\nEmitido em 02/05/2026\n\nProduto;Vlr. Total;Data\n"
MAY = REPORT + "café;1.234,50;01/05/2026\npão;n/d;02/05/2026\nTotal geral;1.234,50;\n"
COLUMNS = [
    Column(name="produto", display_name="Produto", type=ColumnType.TEXT, nullable=True),
    Column(name="valor_total", display_name="Valor", type=ColumnType.DECIMAL, nullable=True),
    Column(name="data", display_name="Data", type=ColumnType.DATE, nullable=True),
]
TERMS = LoadTerms(choices={"valor_total": ColumnChoice(source="vlr_total", null_tokens=("n/d",))})


@dataclass(frozen=True)
class Reports:
    """Takes files through both steps, as the state machine does, and a person's confirmation between them."""

    company: RowsCompany
    name: str

    def load(
        self,
        content: str | bytes,
        table_id: str | None = None,
        *,
        mode: JobMode = "append",
        columns: Sequence[Column] = COLUMNS,
        terms: LoadTerms = TERMS,
    ) -> TableClient:
        """Load a file into the table, or as a new one, and return the table."""
        job_id = self.wait(content, table_id, mode)
        self.confirm(job_id, columns, terms)
        run_job(self.company.services, self.company.company.company_id, job_id)
        job = self.job(job_id)
        assert job.status == "done", job.error
        return TableClient(self.company, job.user_table_id or "", self.name)

    def wait(
        self,
        content: str | bytes,
        table_id: str | None = None,
        mode: JobMode = "append",
        name: str = "vendas.csv",
        *,
        states_mode: bool = False,
    ) -> str:
        """Return the id of a job whose file is analysed, waiting unless it confirms itself."""
        job_id = self.queue(content, table_id, mode, name, states_mode=states_mode)
        services, company_id = self.company.services, self.company.company.company_id
        recall_for(services, company_id, job_id)
        answer = analyze_job(services, company_id, job_id)
        assert answer["outcome"] == "analyzed"
        if not answer["auto_confirm"]:
            self.let_wait(job_id)
        return job_id

    def queue(
        self,
        content: str | bytes,
        table_id: str | None = None,
        mode: JobMode = "append",
        name: str = "vendas.csv",
        *,
        states_mode: bool = False,
    ) -> str:
        """Return the id of a job whose file is there, and not read yet."""
        services, company_id, job_id = self.company.services, self.company.company.company_id, new_record_id()
        key, now = upload_key(company_id, job_id, 0, name.rpartition(".")[2]), timestamp()
        data = content.encode() if isinstance(content, str) else content
        services.s3.put_object(Bucket=services.settings.bucket_name, Key=key, Body=data)
        job = JobRecord(
            company_id=company_id,
            job_id=job_id,
            user_id=new_record_id(),
            mode="create" if table_id is None else mode,
            status="queued",
            files=(UploadedFile(name, key, len(data), "text/csv"),),
            expires_at=now,
            created_at=now,
            updated_at=now,
            user_table_id=table_id,
            states_mode=states_mode,
        )
        services.jobs.create(job)
        return job_id

    def let_wait(self, job_id: str) -> None:
        """Have the job wait for a person, as the state machine does."""
        key = job_key(self.company.company.company_id, job_id)
        self.company.services.items.change(key, {"status": "waiting_confirm"})

    def insert(self, job_id: str) -> str:
        """Run the second step and return its outcome."""
        company_id = self.company.company.company_id
        return str(run_job(self.company.services, company_id, job_id)["outcome"])

    def rows(self) -> list[tuple[Any, ...]]:
        """Return all rows of the table as texts, in order."""
        services, company_id = self.company.services, self.company.company.company_id
        with services.open_company(services.provisioning.require(company_id)) as connection:
            query = f'SELECT produto, valor_total::text, data::text FROM "{self.name}" ORDER BY id'  # noqa: S608
            return connection.execute(query.encode()).fetchall()

    def confirm(self, job_id: str, columns: Sequence[Column] = COLUMNS, terms: LoadTerms = TERMS) -> None:
        wanted = WantedSchema(display_name=self.name, columns=list(columns), terms=terms)
        confirm_job(self.company.services, self.job(job_id), wanted)

    def analysis(self, job_id: str) -> AnalysisDocument:
        found = self.company.services.job_documents.find_analysis(self.job(job_id))
        assert found is not None
        return found

    def job(self, job_id: str) -> JobRecord:
        job = self.company.services.jobs.find(self.company.company.company_id, job_id)
        assert job is not None
        return job


def ask(table: TableClient, method: str = "GET", body: Any = None) -> httpx2.Response:
    return table.company.http.request(
        method,
        f"/v1/managed-tables/{table.table_id}/recipe",
        content=None if body is None else json.dumps(body),
        headers=table.rows.headers(),
    )


def recipe_of(table: TableClient) -> dict[str, Any]:
    answer = ask(table)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
