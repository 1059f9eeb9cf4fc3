"""The warning that a file was imported before, into this table or as a new one."""

import io
from typing import Any

import pytest

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.jobs import JobFile, JobRecord
from managed_tables.clock import timestamp
from managed_tables.ids import new_record_id
from managed_tables.jobs.confirmation import WantedSchema, confirm_job
from managed_tables.object_keys import upload_key
from managed_tables.schema import Column
from managed_tables.wiring.services import Services
from managed_tables_analyze.handler import analyze_job
from managed_tables_insert.job import run_job

CONTENT = b"n;nome\n1;a\n2;b\n"


@pytest.fixture
def uploads(services: Services, company: ConnectionRecord) -> "Uploads":
    return Uploads(services, company.company_id)


class Uploads:
    """Uploads of one company."""

    def __init__(self, services: Services, company_id: str) -> None:
        self.services, self.company_id = services, company_id

    def analyze(
        self, *contents: bytes, table_id: str | None = None
    ) -> tuple[JobRecord, list[dict[str, Any]]]:
        """Upload files; return their job, and its warnings about files imported before."""
        job_id, now = new_record_id(), timestamp()
        files = []
        for index, content in enumerate(contents):
            key = upload_key(self.company_id, job_id, index, "csv")
            self.services.storage.upload(io.BytesIO(content), key)
            files.append(JobFile(f"vendas {index}.csv", key, len(content), "text/csv"))
        mode = "append" if table_id else "create"
        job = JobRecord(
            self.company_id, job_id, new_record_id(), mode, "queued", tuple(files), now, now, now, table_id
        )
        self.services.jobs.create(job)
        analyze_job(self.services, self.company_id, job_id)
        found = self.services.jobs.find(self.company_id, job_id)
        assert found
        warnings = self.services.storage.get_json(found.analysis_key or "")["warnings"]
        return found, [one for one in warnings if one["code"] == "SAME_FILE"]

    def load(self, job: JobRecord, name: str = "vendas") -> JobRecord:
        """Confirm the job as inferred and load it; return the loaded job."""
        key = {"pk": f"COMPANY#{self.company_id}", "sk": f"JOB#{job.job_id}"}
        self.services.items.change(key, {"status": "waiting_confirm"})
        job = self.services.jobs.find(self.company_id, job.job_id) or job
        inferred = self.services.storage.get_json(job.analysis_key or "")["inferred_schema"]["columns"]
        columns = [Column.model_validate({**one, "nullable": True}) for one in inferred]
        confirm_job(self.services, job, WantedSchema(name, columns))
        assert run_job(self.services, self.company_id, job.job_id) == {"outcome": "done"}
        return self.services.jobs.find(self.company_id, job.job_id) or job


def test_a_file_that_made_a_table_gives_a_warning_the_next_time(uploads: Uploads) -> None:
    job, warnings = uploads.analyze(CONTENT)
    assert warnings == []
    assert uploads.analyze(CONTENT)[1] == []  # the first one has not been imported
    done = uploads.load(job)
    _, [warning] = uploads.analyze(b"outro;x\n1;2\n", CONTENT)
    assert warning["file"] == "vendas 1.csv"
    assert job.job_id in warning["text"]
    year, month, day = done.updated_at[:10].split("-")
    assert f"como tabela nova em {day}/{month}/{year}" in warning["text"]


def test_a_file_gives_a_warning_if_imported_into_that_table(uploads: Uploads) -> None:
    """So does the file that made the table; another table or other bytes give none."""
    first = uploads.load(uploads.analyze(CONTENT)[0])
    job, [warning] = uploads.analyze(CONTENT, table_id=first.user_table_id)
    assert "nesta tabela" in warning["text"]
    assert uploads.analyze(CONTENT + b"3;c\n", table_id=first.user_table_id)[1] == []
    second = uploads.load(uploads.analyze(b"n;nome\n9;z\n")[0], "outra")
    assert uploads.analyze(CONTENT, table_id=second.user_table_id)[1] == []
    uploads.load(job)
    _, [warning] = uploads.analyze(CONTENT, table_id=first.user_table_id)
    assert job.job_id in warning["text"]


def test_a_forgotten_import_gives_no_warning(uploads: Uploads) -> None:
    """Once a job is undone, sending its file again is not a mistake."""
    done = uploads.load(uploads.analyze(CONTENT)[0])
    uploads.services.imports.forget(done)
    assert uploads.analyze(CONTENT)[1] == []
    assert uploads.analyze(CONTENT, table_id=done.user_table_id)[1] == []
