"""The analyze step against a real emulator: files from S3 in, staged object, schema and status out."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from managed_tables.catalog.job_records import JobMode, JobRecord, UploadedFile
from managed_tables.clock import timestamp
from managed_tables.ids import new_record_id
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.object_keys import upload_key
from managed_tables.services import Services
from managed_tables_analyze import handler
from managed_tables_analyze.handler import analyze_job

CONTENT = "Código;Preço\n007;1.234,56\n008;2,00\n".encode("cp1252")


def _job(services: Services, *contents: bytes, mode: JobMode = "create") -> JobRecord:
    company_id, job_id, now = new_record_id(), new_record_id(), timestamp()
    files = []
    for index, content in enumerate(contents):
        key = upload_key(company_id, job_id, index, "csv")
        services.storage.put(key, io.BytesIO(content))
        files.append(UploadedFile(f"vendas {index}.csv", key, len(content), "text/csv"))
    job = JobRecord(
        company_id=company_id,
        job_id=job_id,
        user_id=new_record_id(),
        mode=mode,
        status="queued",
        files=tuple(files),
        expires_at=now,
        created_at=now,
        updated_at=now,
    )
    services.jobs.create(job)
    return job


@pytest.fixture(autouse=True)
def own_temp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_a_job_is_staged_and_its_schema_recorded(services: Services, own_temp_folder: Path) -> None:
    job = _job(services, CONTENT, CONTENT)
    assert analyze_job(services, job.company_id, job.job_id) == {"outcome": "analyzed", "auto_confirm": False}

    recorded = services.jobs.find(job.company_id, job.job_id)
    assert recorded is not None
    assert recorded.status == "analisando"
    analysis = services.storage.get_json(recorded.analysis_key or "")
    assert analysis["files"] == ["vendas 0.csv", "vendas 1.csv"]
    assert analysis["row_count"] == analysis["inferred_schema"]["total_row_count_estimate"] == 4
    assert analysis["inferred_schema"]["suggested_table_name"] == "vendas_0"
    assert [column["name"] for column in analysis["columns"]] == ["codigo", "preco"]
    assert analysis["reading"]["timezone"] == "UTC"
    assert [(table["file"], table["rows"]) for table in analysis["reading"]["tables"]] == [(0, 2), (1, 2)]
    staged = own_temp_folder / "staged.parquet"
    services.storage.download(recorded.staged_key or "", staged)
    rows = duckdb.execute(f"SELECT file, sheet, line, c0, c1 FROM {staged_rows(staged)}").fetchall()  # noqa: S608
    assert rows == [
        (0, None, 2, "007", "1.234,56"),
        (0, None, 3, "008", "2,00"),
        (1, None, 2, "007", "1.234,56"),
        (1, None, 3, "008", "2,00"),
    ]
    assert [path.name for path in own_temp_folder.iterdir()] == ["staged.parquet"]


def test_a_second_run_gives_the_same_and_overwrites_nothing(services: Services) -> None:
    """The first run's result may already be confirmed, so its files stay unchanged."""
    job = _job(services, CONTENT)
    analyze_job(services, job.company_id, job.job_id)
    first = services.jobs.find(job.company_id, job.job_id)
    assert analyze_job(services, job.company_id, job.job_id) == {"outcome": "analyzed", "auto_confirm": False}
    second = services.jobs.find(job.company_id, job.job_id)
    assert first
    assert second
    assert (first.analysis_key, first.staged_key) == (second.analysis_key, second.staged_key)
    analyses = [services.storage.get_json(one.analysis_key or "") for one in (first, second)]
    assert analyses[0] == analyses[1]


def test_files_that_fill_the_disk_are_refused(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler, "analyze", lambda *_, **__: Path("/dev/full").write_bytes(b"x"))
    job = _job(services, CONTENT)
    answer = analyze_job(services, job.company_id, job.job_id)
    assert (answer["outcome"], answer["error"]["code"]) == ("failed", "FILES_TOO_LARGE")


def test_a_run_that_ends_after_another_was_recorded_leaves_no_files(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _job(services, CONTENT)
    files_read, analyze = [], handler.analyze

    def slow(*arguments: Any, **named: Any) -> Any:
        files_read.append(1)
        if len(files_read) == 1:  # the other run starts and ends meanwhile
            analyze_job(services, job.company_id, job.job_id)
        return analyze(*arguments, **named)

    monkeypatch.setattr(handler, "analyze", slow)
    assert analyze_job(services, job.company_id, job.job_id) == {"outcome": "analyzed", "auto_confirm": False}
    recorded = services.jobs.find(job.company_id, job.job_id)
    assert recorded
    listed = services.s3.list_objects_v2(Bucket=services.settings.bucket_name, Prefix="jobs/")
    attempts = {one["Key"].split("/")[3] for one in listed["Contents"]}
    assert attempts == {(recorded.analysis_key or "").split("/")[3]}


def test_files_stay_if_the_answer_to_recording_them_is_lost(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request succeeded; its repetition found the record changed, by this same run."""
    job = _job(services, CONTENT)
    record = services.jobs.record_analysis

    def twice(*arguments: Any, **named: Any) -> JobRecord | None:
        record(*arguments, **named)
        return record(*arguments, **named)

    monkeypatch.setattr(services.jobs, "record_analysis", twice)
    assert analyze_job(services, job.company_id, job.job_id) == {"outcome": "analyzed", "auto_confirm": False}
    recorded = services.jobs.find(job.company_id, job.job_id)
    assert recorded is not None
    assert services.storage.get_json(recorded.analysis_key or "")["row_count"] == 2


def test_a_file_that_cannot_be_read_fails_the_job_with_its_reason(services: Services) -> None:
    job = _job(services, CONTENT, b"%PDF-1.7")
    outcome = analyze_job(services, job.company_id, job.job_id)
    assert (outcome["outcome"], outcome["error"]["code"]) == ("failed", "FILE_KIND_REFUSED")
    recorded = services.jobs.find(job.company_id, job.job_id)
    assert recorded is not None
    assert recorded.status == "failed"
    assert recorded.error is not None
    assert "vendas 1.csv" in recorded.error["message"]
    assert "PDF" in recorded.error["message"]


def test_a_file_that_is_gone_fails_its_job_and_is_no_fault(services: Services) -> None:
    job = _job(services, CONTENT)
    services.storage.delete(job.files[0].storage_path)
    answer = analyze_job(services, job.company_id, job.job_id)
    assert (answer["outcome"], answer["error"]["code"]) == ("failed", "FILES_GONE")


def test_a_job_that_has_ended_is_left_alone(services: Services) -> None:
    job = _job(services, CONTENT)
    services.jobs.fail(job, {"code": "X", "message": "x", "details": []})
    assert analyze_job(services, job.company_id, job.job_id)["error"]["code"] == "X"


def test_files_left_by_killed_runs_are_deleted(services: Services, own_temp_folder: Path) -> None:
    stale, fresh = (own_temp_folder / f"managed-tables-analyze-{name}" for name in ("stale", "fresh"))
    for folder in (stale, fresh):
        folder.mkdir()
    os.utime(stale, (0, 0))
    job = _job(services, CONTENT)
    analyze_job(services, job.company_id, job.job_id)
    assert not stale.exists()
    assert fresh.exists()


def test_a_zip_with_warnings_for_each_of_its_files_is_analyzed(services: Services) -> None:
    """All of them are reported, those that may change a value first."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(60):
            name = f"exportacao/{'x' * 100}/filial {number:04d}.csv"
            rows = f"{number};2;3\n1;2;3\n4;5\n6;7;8\n6;7;8;9\n"
            archive.writestr(name, f"Relatório de vendas da filial\n\na;b;c\n{rows}")
    job = _job(services, packed.getvalue())
    assert analyze_job(services, job.company_id, job.job_id)["outcome"] == "analyzed"
    recorded = services.jobs.find(job.company_id, job.job_id)
    assert recorded is not None
    warnings = services.storage.get_json(recorded.analysis_key or "")["warnings"]
    codes = [warning["code"] for warning in warnings if warning["code"] != "JOINED_SHEETS"]
    assert len(warnings) == len(codes) + 1
    assert set(codes) == {"LINES_ABOVE", "SHORT_ROWS", "LONG_ROWS"}
    assert [code == "LINES_ABOVE" for code in codes] == [False] * 120 + [True] * 60
