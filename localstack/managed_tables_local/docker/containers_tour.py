"""Run each function once in a container, on work that the deployed ones do not take: `make sam-local`.

Its files have names that no upload has, so an event of the bucket starts nothing: only the tour moves a job.
"""

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from managed_tables import API_PREFIX
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.job_records import Intake, JobFile, JobRecord
from managed_tables.clock import timestamp
from managed_tables.exports.request import ExportRequest
from managed_tables.ids import NOBODY, new_record_id
from managed_tables.object_keys import export_object_key, job_prefixes
from managed_tables.settings import load_settings
from managed_tables.wiring.services import Services
from managed_tables_command.answers import TableJson
from managed_tables_ingest.arrivals import read_arrivals
from managed_tables_local import stack as local
from managed_tables_local.demo import SAMPLE
from managed_tables_local.docker.containers import ContainerError, Containers, open_containers, read_event
from managed_tables_local.progress import say
from managed_tables_local.tokens import make_token

Invoke = Callable[[str, Mapping[str, Any]], Any]  # a function's logical id and its event in, its answer out

REQUEST_NAME = "request.json"  # as the API calls what is asked for


def run(folder: Path, stack: local.Stack) -> None:
    """Invoke each function, then serve the API and call it.

    Raises ContainerError where one fails.
    """
    environment = local.serving_environment(folder)
    os.environ.update({name: value for name, value in environment.items() if name.startswith("AWS_")})
    company_id = secrets.token_hex(12)
    token = make_token(stack, company_id, "managed-tables:*")
    with open_containers(folder, stack) as containers:
        take_tour(containers.invoke, Services(load_settings(environment)), company_id, token)
        _call_api(containers, token)
    say("\n==> every function has run in a container")


def take_tour(invoke: Invoke, services: Services, company_id: str, token: str) -> None:
    """Take a file through every function; raises ContainerError where one does not do its part."""
    answer = invoke("ProvisionFunction", read_event("provision", company_id=company_id))
    _expect("connection" in answer, "ProvisionFunction makes a database")
    answer = invoke("ApiFunction", read_event("api", token=token, method="POST", path="/provision"))
    _expect(answer["statusCode"] == 200, "ApiFunction answers its connection")
    _ingest(invoke, services, company_id)
    job = _queue(services, company_id)
    ids = {"company_id": company_id, "job_id": job.job_id}
    answer = invoke("AnalyzeFunction", read_event("analyze", **ids))
    _expect(answer["outcome"] == "analyzed", "AnalyzeFunction reads the sample")
    answer = invoke("InsertFunction", read_event("insert", **ids))
    _expect(answer["outcome"] == "done", "InsertFunction loads it")
    export = queue_export(services, company_id, job.job_id)
    answer = invoke("ExportFunction", read_event("export", company_id=company_id, export_id=export.export_id))
    _expect(answer["outcome"] == "done", "ExportFunction writes it as Parquet")
    swept = invoke("SweepFunction", read_event("sweep"))
    _expect(isinstance(swept, dict), "SweepFunction sweeps")


def _ingest(invoke: Invoke, services: Services, company_id: str) -> None:
    """Tell the function of an object of the inbox: the job that comes of it has the event's own id."""
    content, key = SAMPLE.read_bytes(), f"inbox/{company_id}/vendas.csv"
    bucket = services.settings.bucket_name
    services.s3.put_object(Bucket=bucket, Key=key, Body=content)
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    event = read_event("ingest", bucket=bucket, key=key, size_bytes=len(content), etag=etag)
    invoke("IngestFunction", event)
    (arrival,) = read_arrivals(event)
    job = services.jobs.find(company_id, arrival.event_id)
    _expect(job is not None, "IngestFunction makes a job of an object of the inbox")


def _queue(services: Services, company_id: str) -> JobRecord:
    """Record a job with its file, without an event of the bucket."""
    job_id, now = new_record_id(), timestamp()
    key, content = f"{job_prefixes(company_id, job_id)[0]}{SAMPLE.name}", SAMPLE.read_bytes()
    services.s3.put_object(Bucket=services.settings.bucket_name, Key=key, Body=content)
    job = JobRecord(
        company_id=company_id,
        job_id=job_id,
        user_id=NOBODY,
        mode="create",
        status="queued",
        files=(JobFile(SAMPLE.name, key, len(content), "text/csv"),),
        expires_at="9999-12-31T00:00:00.000Z",
        created_at=now,
        updated_at=now,
        intake=Intake("vendas", auto_confirm=True),
    )
    services.jobs.create(job)
    return job


def queue_export(services: Services, company_id: str, job_id: str) -> ExportRecord:
    """Record an export of the table that a job has made, without an execution."""
    job = services.jobs.find(company_id, job_id)
    table = services.tables.find(company_id, job.user_table_id or "") if job else None
    if table is None:
        raise ContainerError(f"job {job_id} has made no table")
    export_id, now = new_record_id(), timestamp()
    export = ExportRecord(
        company_id=company_id,
        export_id=export_id,
        user_id=NOBODY,
        table_id=table.table_id,
        table_version=table.version,
        display_name=table.display_name,
        format="parquet",
        status="queued",
        file_name="vendas.parquet",
        request_key=export_object_key(company_id, export_id, REQUEST_NAME),
        deadline="9999-12-31T00:00:00.000Z",
        created_at=now,
        updated_at=now,
    )
    services.storage.put_json(export.request_key, asdict(ExportRequest(format="parquet")))
    services.exports.create(export)
    return export


def _call_api(containers: Containers, token: str) -> None:
    with containers.api() as url:
        say(f"\n==> sam local start-api: GET {url}{API_PREFIX}")
        table: TableJson = _get(f"{url}{API_PREFIX}", token)["records"][0]
        say(f"    {table['display_name']}: {table['row_count']} rows")
        _expect(table["row_count"] == 2_500, "the API served by sam lists the table")


def _get(url: str, token: str) -> Any:
    transport = httpx.HTTPTransport(retries=8)  # of connecting, with growing pauses, while sam starts
    with httpx.Client(transport=transport, timeout=120) as http:
        return http.get(url, headers={"Authorization": f"Bearer {token}"}).raise_for_status().json()


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise ContainerError(f"it does not hold that {what}")
    say(f"    {what}")
