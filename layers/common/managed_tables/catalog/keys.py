"""Define the keys of the DynamoDB table (docs/data.md): every item belongs to one company."""

from collections.abc import Mapping
from typing import Any

PK = "pk"
SK = "sk"
ACTIVE_JOBS_INDEX = "active-jobs"
JOB_HISTORY_INDEX = "job-history"

# Kinds of items, and the ids that follow
CONNECTION = "CONNECTION"
TABLE = "TABLE"  # its id
DELETED_TABLE = "DELETED_TABLE"  # its id; apart, so that listings never read deleted tables
NAME = "NAME"  # a table's: the item exists exactly while a table holds or reserves the name
IMPORT = "IMPORT"  # a table's id and the digest of a file's bytes: the file's last import into it
JOB = "JOB"  # its id
EXPORT = "EXPORT"  # its id
PLAN = "PLAN"  # the name of an agent's plan that was confirmed, kept until nobody could again
RUNNING_JOBS = "RUNNING_JOBS"
RUNNING_EXPORTS = "RUNNING_EXPORTS"
WAITING_JOB = "WAITING_JOB"  # rounds and the job's id: they sort by rounds, then by the jobs' age


def company_pk(company_id: str) -> str:
    """Return the partition of everything that a company has."""
    return f"COMPANY#{company_id}"


def company_of(item: Mapping[str, Any]) -> str:
    """Return the id of the company whose item it is."""
    return str(item[PK]).removeprefix(company_pk(""))


def item_key(company_id: str, kind: str, *ids: str) -> dict[str, str]:
    """Return the key of the company's item of this kind and these ids."""
    return {PK: company_pk(company_id), SK: "#".join((kind, *ids))}


def job_key(company_id: str, job_id: str) -> dict[str, str]:
    """Return the key of a job."""
    return item_key(company_id, JOB, job_id)
