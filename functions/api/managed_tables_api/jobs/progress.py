"""How far a job is, in every phase that it goes through."""

from managed_tables.catalog.jobs import JobRecord
from managed_tables_api.jobs.job_models import Progress


def progress_of(job: JobRecord) -> Progress | None:
    """Return the phase, the percent being that of the phase; None of a job that failed."""
    recorded = job.progress and Progress.read(job.progress)
    match job.status:
        case "queued":
            return _receiving(job)
        case "analisando":
            return recorded or Progress(phase="reading", percent=0)
        case "waiting_confirm":
            return Progress(phase="waiting", percent=100)
        case "inserting":
            return recorded or Progress(phase="inserting", percent=0)
        case "done":
            return _done(job)
    return None


def _receiving(job: JobRecord) -> Progress:
    total = sum(file.size_bytes for file in job.files)
    arrived = sum(file.size_bytes for file in job.files if file.storage_path in job.arrived)
    return Progress(
        phase="receiving",
        percent=arrived * 100 // total if total else 0,
        received_files=len(job.arrived),
        total_files=len(job.files),
    )


def _done(job: JobRecord) -> Progress:
    if job.result is None:
        return Progress(phase="done", percent=100)
    rows = job.result.row_count
    return Progress(phase="done", percent=100, processed_rows=rows, total_rows=rows)
