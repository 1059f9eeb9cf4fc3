"""Owns the bucket: its keys, and nothing of a user's text in them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STAGED_OBJECT = "staged.parquet"
ANALYSIS = "analysis.json"
CONFIRMED = "confirmed.json"


def upload_key(company_id: str, job_id: str, index: int, extension: str) -> str:
    """Return the key of file `index` (counted from 0) of a job; `extension` is one of the known ones."""
    return f"uploads/{company_id}/{job_id}/{index:02d}.{extension}"


def job_key(company_id: str, job_id: str, name: str) -> str:
    """Return the key of one of the job's own objects, e.g. `STAGED_OBJECT`."""
    return f"jobs/{company_id}/{job_id}/{name}"


@dataclass(frozen=True)
class Storage:
    """The deployment's bucket."""

    client: "S3Client"
    bucket_name: str
