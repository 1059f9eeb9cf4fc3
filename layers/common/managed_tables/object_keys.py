"""Name the objects of the bucket: uploads, what jobs and exports make, and the inbox of pipelines."""

import re

STAGED_OBJECT = "staged.parquet"
ANALYSIS = "analysis.json"
OVERRIDES = "wish.json"
DRAFT = "draft.json"
RECIPE = "recipe.json"
PREVIEW_INDEX = "preview.json"
PREVIEW_ROWS = "preview.rows"
BASE = "base.json"
BASE_ROWS = "base.parquet"
MERGE_PLAN = "merge.json"
_UPLOAD_KEY = re.compile(r"uploads/(?P<company_id>[0-9a-f]{24})/(?P<job_id>[0-9a-f]{24})/\d{2}\.[a-z]+")
_INBOX_KEY = re.compile(r"inbox/(?P<company_id>[0-9a-f]{24})/(?:.*/)?(?P<name>[^/]+)", re.DOTALL)


def upload_key(company_id: str, job_id: str, index: int, extension: str) -> str:
    """Return the key of file `index` (counted from 0) of a job; `extension` is one of the known ones."""
    return f"uploads/{company_id}/{job_id}/{index:02d}.{extension}"


def parse_upload_key(key: str) -> tuple[str, str] | None:
    """Return the company's and the job's id in a key, None for any other key."""
    found = _UPLOAD_KEY.fullmatch(key)
    return None if found is None else (found["company_id"], found["job_id"])


def parse_inbox_key(key: str) -> tuple[str, str] | None:
    """Return the company's id and the file's name of a key of the inbox, None for any other key."""
    found = _INBOX_KEY.fullmatch(key)
    return None if found is None else (found["company_id"], found["name"])


def job_key(company_id: str, job_id: str, name: str) -> str:
    """Return the key of one of the job's own objects, e.g. `STAGED_OBJECT`."""
    return f"jobs/{company_id}/{job_id}/{name}"


def attempt_key(company_id: str, job_id: str, attempt: str, name: str) -> str:
    """Return the key of what one run of a step has made: a run that comes late overwrites no other's."""
    return job_key(company_id, job_id, f"{attempt}/{name}")


def job_prefixes(company_id: str, job_id: str) -> tuple[str, str]:
    """Return the prefixes of all objects of a job."""
    return f"uploads/{company_id}/{job_id}/", job_key(company_id, job_id, "")


def export_object_key(company_id: str, export_id: str, name: str) -> str:
    """Return the key of one of the export's objects."""
    return f"exports/{company_id}/{export_id}/{name}"


def base_key(company_id: str, table_id: str, base_id: str, name: str) -> str:
    """Return the key of what is kept of a workbook that went out to be changed."""
    return f"workbooks/{company_id}/{table_id}/{base_id}/{name}"


def merge_plan_key(analysis_key: str) -> str:
    """Return the key of the merge that is planned of the rows of an analysis."""
    return f"{analysis_key.rpartition('/')[0]}/{MERGE_PLAN}"


def confirmed_name(number: int, digest: str) -> str:
    """Return the name of a confirmed schema, by its number and its content: two confirmations may race."""
    return f"confirmed-{number}-{digest}.json"
