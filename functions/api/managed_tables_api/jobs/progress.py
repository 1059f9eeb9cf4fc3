"""How far a job is, in every phase that it goes through."""

from typing import Any

from managed_tables.catalog.jobs import JobRecord


def progress_of(job: JobRecord) -> dict[str, Any] | None:
    """Return `{"phase", "percent", …}`, the percent being that of the phase; None of a job that failed."""
    match job.status:
        case "queued":
            return _receiving(job)
        case "analisando":
            return job.progress or {"phase": "reading", "percent": 0}
        case "waiting_confirm":
            return {"phase": "waiting", "percent": 100}
        case "inserting":
            return job.progress or {"phase": "inserting", "percent": 0}
        case "done":
            return _done(job)
    return None


def _receiving(job: JobRecord) -> dict[str, Any]:
    total = sum(file.size_bytes for file in job.files)
    arrived = sum(file.size_bytes for file in job.files if file.storage_path in job.arrived)
    return {
        "phase": "receiving",
        "percent": arrived * 100 // total if total else 0,
        "received_files": len(job.arrived),
        "total_files": len(job.files),
    }


def _done(job: JobRecord) -> dict[str, Any]:
    done: dict[str, Any] = {"phase": "done", "percent": 100}
    if job.result is not None:
        done["processed_rows"] = done["total_rows"] = job.result.row_count
    return done
