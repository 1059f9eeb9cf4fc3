"""The inbox: an object becomes one job; unattended, it becomes rows or fails with a reason."""

import io
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import openpyxl
import pytest
from editing import export_for_editing

from managed_tables.aws import storage
from managed_tables.aws_services import READ_TIMEOUT_SECONDS
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord, StepOutcome
from managed_tables.errors import (
    CONFIRMATION_REFUSED,
    CONFLICTS_OPEN,
    INBOX_FILE_REFUSED,
    INBOX_METADATA_INVALID,
    INBOX_OBJECT_GONE,
    TABLE_NOT_ACTIVE,
    TABLE_NOT_MADE,
    VALUES_NOT_CONVERTED,
    JobErrorKind,
)
from managed_tables.ids import new_record_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables.tables.recipes import change_recipe, find_recipe
from managed_tables_analyze.handler import analyze_job
from managed_tables_ingest.handler import Arrival, read_arrivals, take_object
from managed_tables_insert.errands import recall_for
from managed_tables_insert.handler import run_job
from managed_tables_insert.workbooks import plan_merge

SALES = "produto;valor\ncafé;1,50\npão;2,25\n"
UNATTENDED = {"auto-confirm": "true", "table": "vendas"}
PART_BYTES = 5 * 1024 * 1024  # S3's minimum for every part but the last


@dataclass
class Inbox:
    """Puts objects into the bucket, and runs the steps as AWS would."""

    services: Services
    company: ConnectionRecord
    sequence: int = 0

    def put(
        self, content: str | bytes, metadata: Mapping[str, str] = {}, name: str = "vendas.csv"
    ) -> Arrival:
        """Put an object; return its event."""
        key = f"inbox/{self.company.company_id}/{name}"
        body = content.encode() if isinstance(content, str) else content
        etag = self.services.s3.put_object(
            Bucket=self.services.settings.bucket_name, Key=key, Body=body, Metadata=metadata
        )["ETag"]
        return self.event(key, len(body), etag)

    def event(self, key: str, size_bytes: int, etag: str, name: str = "Put") -> Arrival:
        """Return S3's event about an object."""
        self.sequence += 1
        stored = {"key": key.replace(" ", "+"), "size": size_bytes, "eTag": etag.strip('"')}
        record = {
            "eventName": f"ObjectCreated:{name}",
            "eventTime": "2026-01-15T10:30:00.123Z",
            "s3": {"bucket": {"name": "b"}, "object": {**stored, "sequencer": f"{self.sequence:018X}"}},
        }
        return next(iter(read_arrivals({"Records": [record]})))

    def take(
        self, content: str | bytes, metadata: Mapping[str, str] = {}, name: str = "vendas.csv"
    ) -> JobRecord:
        """Put an object, deliver its event, and return the job."""
        arrival = self.put(content, metadata, name)
        take_object(self.services, arrival)
        return self.job(arrival.event_id)

    def job(self, job_id: str) -> JobRecord:
        """Return the job's record."""
        job = self.services.jobs.find(self.company.company_id, job_id)
        assert job is not None
        return job

    def jobs(self) -> list[JobRecord]:
        """Return every job that is not terminal."""
        return list(self.services.jobs.scan_unfinished())

    def analyze(self, job: JobRecord) -> StepOutcome:
        """Run the first step."""
        return analyze_job(self.services, job.company_id, job.job_id)

    def insert(self, job: JobRecord) -> Any:
        """Run the second step; return its outcome."""
        return run_job(self.services, job.company_id, job.job_id)["outcome"]

    def bring_back(self, content: bytes) -> JobRecord:
        """Take a workbook that was exported through its three steps; return how the job ended."""
        job = self.take(content, UNATTENDED, "vendas.xlsx")
        recall_for(self.services, job.company_id, job.job_id)
        assert self.analyze(job) == {"outcome": "analyzed", "auto_confirm": True, "merge": True}
        plan_merge(self.services, self.job(job.job_id))
        self.insert(job)
        return self.job(job.job_id)

    def load(self, content: str, metadata: Mapping[str, str] = UNATTENDED) -> JobRecord:
        """Take an object through both steps; return how the job ended."""
        job = self.take(content, metadata)
        assert self.analyze(job) == {"outcome": "analyzed", "auto_confirm": True}
        self.insert(job)
        return self.job(job.job_id)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Query the company's database."""
        with self.services.databases.open_company_connection(self.company) as connection:
            return connection.execute(statement.encode()).fetchall()

    def make_table(self, *columns: Column) -> str:
        """Make the table `vendas`."""
        made = self.services.table_operations.create(self.company, new_record_id(), "vendas", columns)
        return made.table_id


@pytest.fixture
def inbox(services: Services, company: ConnectionRecord) -> Inbox:
    """The inbox of a provisioned company."""
    return Inbox(services, company)


def column(name: str, type_name: str = "text", *, nullable: bool = True) -> Column:
    return Column(name=name, display_name=name, type=ColumnType(type_name), nullable=nullable)


def refused(job: JobRecord) -> str:
    assert job.status == "failed"
    assert job.error is not None
    return str(job.error["code"])


def test_an_object_becomes_a_queued_job_with_its_own_copy(inbox: Inbox) -> None:
    job = inbox.take(SALES, name="março/vendas de março.csv")
    assert (job.status, job.mode, job.files[0].original_name) == ("queued", "create", "vendas de março.csv")
    stored = inbox.services.s3.get_object(
        Bucket=inbox.services.settings.bucket_name, Key=job.files[0].storage_path
    )
    assert stored["Body"].read() == SALES.encode()
    assert job.files[0].storage_path.startswith(f"uploads/{job.company_id}/{job.job_id}/")


def test_the_object_is_tagged_with_the_jobs_id(inbox: Inbox) -> None:
    arrival = inbox.put(SALES)
    take_object(inbox.services, arrival)
    tags = inbox.services.s3.get_object_tagging(Bucket=inbox.services.settings.bucket_name, Key=arrival.key)
    assert tags["TagSet"] == [{"Key": "job-id", "Value": arrival.event_id}]


def test_an_event_delivered_twice_is_one_job_and_a_new_put_is_another(inbox: Inbox) -> None:
    first = inbox.put(SALES)
    take_object(inbox.services, first)
    take_object(inbox.services, first)
    take_object(inbox.services, inbox.put(SALES))
    assert len(inbox.jobs()) == 2


def test_an_event_delivered_again_after_the_end_starts_nothing(inbox: Inbox) -> None:
    arrival = inbox.put(SALES, UNATTENDED)
    take_object(inbox.services, arrival)
    inbox.analyze(inbox.job(arrival.event_id))
    inbox.insert(inbox.job(arrival.event_id))
    take_object(inbox.services, arrival)
    assert inbox.job(arrival.event_id).status == "done"
    assert inbox.rows("SELECT count(*) FROM vendas") == [(2,)]


def test_an_interrupted_delivery_is_completed_by_the_next(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrival = inbox.put(SALES)

    def die(*_: object) -> bool:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("managed_tables.aws.storage.Storage.copy", die)
        with pytest.raises(ConnectionError):
            take_object(inbox.services, arrival)
    take_object(inbox.services, arrival)
    assert inbox.analyze(inbox.job(arrival.event_id))["outcome"] == "analyzed"


def test_an_object_sent_in_parts_is_accepted(inbox: Inbox) -> None:
    bucket, key = inbox.services.settings.bucket_name, f"inbox/{inbox.company.company_id}/grande.csv"
    content = b"texto\n" + b"x" * 99 + b"\n"
    content += (b"y" * 99 + b"\n") * (PART_BYTES // 100 + 1)
    s3 = inbox.services.s3
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, Metadata=UNATTENDED)["UploadId"]
    parts = [content[:PART_BYTES], content[PART_BYTES:]]
    done: list[Any] = []
    for number, part in enumerate(parts, start=1):
        etag = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=part)["ETag"]
        done.append({"PartNumber": number, "ETag": etag})
    etag = s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": done}
    )["ETag"]
    arrival = inbox.event(key, len(content), etag, "CompleteMultipartUpload")
    take_object(inbox.services, arrival)
    job = inbox.job(arrival.event_id)
    assert inbox.analyze(job)["outcome"] == "analyzed"
    assert inbox.insert(job) == "done"
    assert inbox.rows("SELECT count(*) FROM vendas") == [(content.count(b"\n") - 1,)]


def test_a_large_object_is_copied_in_parts(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answers within a request's time, where one copy of 5 GB would be given up, and begun again."""
    monkeypatch.setattr(storage, "COPY_MAX_BYTES", PART_BYTES)
    monkeypatch.setattr(storage, "COPY_PART_BYTES", PART_BYTES)
    inbox.services.settings = inbox.services.settings.model_copy(update={"upload_max_mb": 100})
    content = "texto\n" + "linha de um texto longo\n" * (2 * PART_BYTES // 20)
    job = inbox.take(content)
    place: Any = {"Bucket": inbox.services.settings.bucket_name, "Key": job.files[0].storage_path}
    stored = inbox.services.s3.get_object(**place)
    assert stored["ETag"].endswith('-3"'), "of three parts"
    assert stored["Body"].read() == content.encode()
    assert (stored["ContentType"], stored["Metadata"]) == ("text/csv", {})


def test_a_large_object_that_is_replaced_leaves_no_parts(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "COPY_MAX_BYTES", 1)
    arrival = inbox.put(SALES)
    inbox.put("outro;conteudo\n1;2\n")
    services = inbox.services
    assert not services.copying.copy(arrival.key, arrival.etag, arrival.size_bytes, "uploads/x", "text/csv")
    bucket = services.settings.bucket_name
    assert "Uploads" not in services.s3.list_multipart_uploads(Bucket=bucket)
    assert list(services.storage.keys("uploads/x")) == []


def test_a_copy_that_takes_longer_than_a_request_is_waited_for(services: Services) -> None:
    """S3 answers when it is done: it was given up after six seconds, and asked for four times."""
    asked: list[str] = []

    class Slow(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            asked.append(self.path)
            time.sleep(READ_TIMEOUT_SECONDS + 2)
            body = b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        slow = Services(services.settings.model_copy(update={"aws_endpoint_url": url}))
        assert slow.copying.copy("inbox/a", "e", 100, "uploads/a", "text/csv")
        server.shutdown()
    assert len(asked) == 1


@pytest.mark.parametrize("key", ["inbox/vendas.csv", "inbox/nobody/vendas.csv", "inbox/{unknown}/vendas.csv"])
def test_an_object_of_no_company_makes_no_job(inbox: Inbox, key: str) -> None:
    take_object(inbox.services, inbox.event(key.format(unknown=new_record_id()), 10, "e"))
    assert inbox.jobs() == []


def test_an_object_that_is_gone_or_replaced_makes_no_job(inbox: Inbox) -> None:
    stale = inbox.put("a;b\n1;2\n")
    current = inbox.put(SALES)
    take_object(inbox.services, stale)
    take_object(inbox.services, current)
    assert [job.job_id for job in inbox.jobs()] == [current.event_id]


def test_an_object_replaced_while_it_is_copied_fails_its_job(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrival = inbox.put(SALES)
    take = inbox.services.jobs.create

    def replace_first(job: JobRecord) -> None:
        inbox.put("a;b\n1;2\n")
        take(job)

    monkeypatch.setattr(inbox.services.jobs, "create", replace_first)
    take_object(inbox.services, arrival)
    assert refused(inbox.job(arrival.event_id)) == INBOX_OBJECT_GONE.code


@pytest.mark.parametrize(
    ("name", "content", "metadata", "kind"),
    [
        ("vendas.pdf", SALES, {}, INBOX_FILE_REFUSED),
        ("vendas.csv", "", {}, INBOX_FILE_REFUSED),
        ("vendas.csv", SALES + "x" * 1_048_576, {}, INBOX_FILE_REFUSED),
        ("vendas.csv", SALES, {"auto-confirm": "yes", "table": "vendas"}, INBOX_METADATA_INVALID),
        ("vendas.csv", SALES, {"auto-confirm": "true"}, INBOX_METADATA_INVALID),
        ("vendas.csv", SALES, {"mode": "replace"}, INBOX_METADATA_INVALID),
        ("vendas.csv", SALES, {"mode": "truncate", "table": "vendas"}, INBOX_METADATA_INVALID),
        ("vendas.csv", SALES, {"table": "Vendas-de-marco"}, INBOX_METADATA_INVALID),
    ],
)
def test_an_object_that_cannot_be_loaded_is_a_failed_job(
    inbox: Inbox, name: str, content: str, metadata: dict[str, str], kind: JobErrorKind
) -> None:
    inbox.services.settings = inbox.services.settings.model_copy(update={"upload_max_mb": 1})
    job = inbox.take(content, metadata, name)
    assert refused(job) == kind.code
    assert job.files[0].original_name == name


def test_an_object_for_an_inactive_table_is_refused(inbox: Inbox) -> None:
    table_id = inbox.make_table(column("produto"))
    inbox.services.table_operations.update(inbox.company, table_id, TableChange(status="inactive"))
    assert refused(inbox.take(SALES, UNATTENDED)) == TABLE_NOT_ACTIVE.code


def test_without_auto_confirm_the_job_waits_and_suggests_the_table(inbox: Inbox) -> None:
    job = inbox.take(SALES, {"table": "faturamento"})
    assert inbox.analyze(job) == {"outcome": "analyzed", "auto_confirm": False}
    analysis = inbox.services.job_documents.find_analysis(inbox.job(job.job_id))
    assert analysis is not None
    assert analysis.inferred_schema.suggested_table_name == "faturamento"


def test_unattended_a_new_table_gets_the_inferred_schema(inbox: Inbox) -> None:
    job = inbox.load(SALES)
    assert (job.status, job.error) == ("done", None)
    table = inbox.services.tables.find(job.company_id, job.user_table_id or "")
    assert table is not None
    assert [(one.name, one.type, one.nullable) for one in table.columns] == [
        ("produto", "text", True),
        ("valor", "decimal", True),
    ]


def test_unattended_an_existing_table_is_appended_to(inbox: Inbox) -> None:
    labelled = column("p").model_copy(update={"display_name": "Produto"})
    table_id = inbox.make_table(labelled, column("valor", "decimal"))
    inbox.load(SALES)
    second = inbox.load("valor;produto;loja\n3,00;leite;Centro\n")
    assert (second.status, second.mode, second.user_table_id) == ("done", "append", table_id)
    found = inbox.rows("SELECT p, valor::text, loja FROM vendas ORDER BY id")
    assert found == [("café", "1.50", None), ("pão", "2.25", None), ("leite", "3.00", "Centro")]


def test_unattended_columns_go_where_the_table_remembers_that_they_went(inbox: Inbox) -> None:
    first = inbox.load("Produto;Vlr. Total;Obs.\ncafé;1,50;x\n")
    table_id = first.user_table_id or ""
    kept = [
        ColumnChange(**column("produto").model_dump()),
        ColumnChange(**column("total", "decimal").model_dump(), previous_name="vlr_total"),
    ]
    inbox.services.table_operations.update(inbox.company, table_id, TableChange(columns=kept))
    with inbox.services.databases.open_company_connection(inbox.company) as connection:
        recipe = find_recipe(connection, table_id)
        assert recipe is not None
        chosen = [one.model_copy(update={"null_tokens": ("n/d",)}) for one in recipe.columns]
        change_recipe(connection, table_id, {"columns": [one.model_dump() for one in chosen]})
    second = inbox.load("VLR. TOTAL;PRODUTO;Obs.;Loja\n2,25;pão;y;Centro\nn/d;leite;z;Sul\n")
    assert (second.status, second.error) == ("done", None)
    found = inbox.rows("SELECT produto, total::text, loja FROM vendas ORDER BY id")
    assert found == [("café", "1.50", None), ("pão", "2.25", "Centro"), ("leite", None, "Sul")]
    names = inbox.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'vendas'")
    assert {"obs", "vlr_total"}.isdisjoint(name for (name,) in names)


def test_an_object_as_before_confirms_itself_and_another_waits(inbox: Inbox) -> None:
    inbox.load(SALES)
    unchanged = {"auto-confirm": "unchanged", "table": "vendas", "mode": "append"}
    for content, goes_on in (
        (SALES.replace("café", "mate"), True),
        (SALES.replace("valor", "valor;loja").replace(",", ",0;"), False),
    ):
        job = inbox.take(content, unchanged)
        recall_for(inbox.services, job.company_id, job.job_id)
        assert inbox.analyze(job) == {"outcome": "analyzed", "auto_confirm": goes_on}
        if goes_on:
            assert inbox.insert(job) == "done"
    assert inbox.rows("SELECT produto FROM vendas ORDER BY id") == [("café",), ("pão",), ("mate",), ("pão",)]
    assert inbox.analyze(inbox.take(SALES, {**unchanged, "table": "nova"}))["auto_confirm"] is False


def test_unattended_a_table_is_replaced_on_request(inbox: Inbox) -> None:
    inbox.load(SALES, {**UNATTENDED, "mode": "replace"})
    job = inbox.load("produto;valor\nleite;3,00\n", {**UNATTENDED, "mode": "replace"})
    assert (job.status, job.mode) == ("done", "replace")
    assert inbox.rows("SELECT produto FROM vendas") == [("leite",)]


def test_of_two_objects_for_one_new_table_the_second_waits_and_appends(inbox: Inbox) -> None:
    first, second = inbox.take(SALES, UNATTENDED), inbox.take(SALES, UNATTENDED)
    for job in (first, second):
        inbox.analyze(job)
    inbox.services.reconciliation.reserve(
        inbox.company, first.job_id, first.user_id, "vendas", [column("produto"), column("valor", "decimal")]
    )
    assert inbox.insert(second) == "busy"
    assert inbox.insert(first) == "done"
    assert inbox.insert(second) == "done"
    assert inbox.job(second.job_id).mode == "append"
    assert inbox.rows("SELECT count(*) FROM vendas") == [(4,)]


def test_an_unattended_job_waits_only_so_long_for_another_to_make_its_table(inbox: Inbox) -> None:
    first, second = inbox.take(SALES, UNATTENDED), inbox.take(SALES, UNATTENDED)
    inbox.analyze(second)
    inbox.services.reconciliation.reserve(
        inbox.company, first.job_id, first.user_id, "vendas", [column("produto")]
    )
    ended = run_job(inbox.services, inbox.company.company_id, second.job_id, is_last_attempt=True)
    assert (ended["outcome"], ended["error"]["code"]) == ("failed", TABLE_NOT_MADE.code)


def test_values_that_do_not_convert_fail_an_unattended_job(inbox: Inbox) -> None:
    inbox.make_table(column("produto"), column("valor", "integer"))
    job = inbox.load(SALES)
    assert refused(job) == VALUES_NOT_CONVERTED.code
    assert job.error is not None
    assert (job.error["details"][0]["value"], "confirm" in job.error["message"]) == ("1,50", False)
    assert inbox.rows("SELECT count(*) FROM vendas") == [(0,)]


def test_a_schema_that_cannot_be_confirmed_fails_an_unattended_job(inbox: Inbox) -> None:
    inbox.make_table(column("produto"), column("loja", nullable=False))
    job = inbox.load(SALES)
    assert refused(job) == CONFIRMATION_REFUSED.code
    assert job.error is not None
    assert "loja" in job.error["message"]


def test_a_repeated_step_loads_nothing_twice(inbox: Inbox) -> None:
    job = inbox.take(SALES, UNATTENDED)
    inbox.analyze(job)
    assert [inbox.insert(job), inbox.insert(job)] == ["done", "done"]
    assert inbox.rows("SELECT count(*) FROM vendas") == [(2,)]


def test_a_workbook_that_comes_back_by_itself_is_merged_unless_a_cell_needs_a_person(inbox: Inbox) -> None:
    table_id = inbox.make_table(column("produto"), column("valor", "integer"))
    inbox.load("produto;valor\ncafé;1\npão;2\n")
    table = inbox.services.tables.find(inbox.company.company_id, table_id)
    assert table is not None
    _, content = export_for_editing(inbox.services, table)
    book: Any = openpyxl.load_workbook(io.BytesIO(content))
    book.worksheets[0]["C2"] = 10
    changed = io.BytesIO()
    book.save(changed)
    merged = inbox.bring_back(changed.getvalue())
    assert (merged.status, merged.mode) == ("done", "merge"), merged.error
    assert inbox.rows("SELECT produto, valor FROM vendas ORDER BY 1") == [("café", 10), ("pão", 2)]
    book.worksheets[0]["C2"] = 11  # of the same export, where the table has 10 by now
    changed = io.BytesIO()
    book.save(changed)
    job = inbox.bring_back(changed.getvalue())
    assert refused(job) == CONFLICTS_OPEN.code
    assert inbox.rows("SELECT produto, valor FROM vendas ORDER BY 1") == [("café", 10), ("pão", 2)]
