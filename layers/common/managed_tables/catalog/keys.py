"""Define the keys of the DynamoDB table (docs/data.md): every item belongs to one company."""

PK = "pk"
SK = "sk"
CONNECTION_SK = "CONNECTION"
TABLE_PREFIX = "TABLE#"
DELETED_TABLE_PREFIX = "DELETED_TABLE#"
JOB_PREFIX = "JOB#"
EXPORT_PREFIX = "EXPORT#"
WAITING_JOB_PREFIX = "WAITING_JOB#"
ACTIVE_JOBS_INDEX = "active-jobs"
JOB_HISTORY_INDEX = "job-history"


def company_pk(company_id: str) -> str:
    """Return the partition of everything that a company has."""
    return f"COMPANY#{company_id}"


def connection_key(company_id: str) -> dict[str, str]:
    """Return the key of the company's connection."""
    return {PK: company_pk(company_id), SK: CONNECTION_SK}


def table_key(company_id: str, table_id: str) -> dict[str, str]:
    """Return the key of a table that is not deleted."""
    return {PK: company_pk(company_id), SK: f"{TABLE_PREFIX}{table_id}"}


def deleted_table_key(company_id: str, table_id: str) -> dict[str, str]:
    """Return the key of a deleted table: apart, so that listings never read deleted tables."""
    return {PK: company_pk(company_id), SK: f"{DELETED_TABLE_PREFIX}{table_id}"}


def name_key(company_id: str, display_name: str) -> dict[str, str]:
    """Return the key of the item that exists exactly while a table holds or reserves the name."""
    return {PK: company_pk(company_id), SK: f"NAME#{display_name}"}


def import_key(company_id: str, table_id: str, digest: str) -> dict[str, str]:
    """Return the key of a file's last import into a table; `digest` is that of its bytes."""
    return {PK: company_pk(company_id), SK: f"IMPORT#{table_id}#{digest}"}


def job_key(company_id: str, job_id: str) -> dict[str, str]:
    """Return the key of a job."""
    return {PK: company_pk(company_id), SK: f"{JOB_PREFIX}{job_id}"}


def export_key(company_id: str, export_id: str) -> dict[str, str]:
    """Return the key of an export."""
    return {PK: company_pk(company_id), SK: f"{EXPORT_PREFIX}{export_id}"}


def plan_key(company_id: str, name: str) -> dict[str, str]:
    """Return the key of an agent's plan that was confirmed, which is kept until nobody could again."""
    return {PK: company_pk(company_id), SK: f"PLAN#{name}"}


def running_jobs_key(company_id: str) -> dict[str, str]:
    """Return the key of the item that names the company's running jobs."""
    return {PK: company_pk(company_id), SK: "RUNNING_JOBS"}


def running_exports_key(company_id: str) -> dict[str, str]:
    """Return the key of the item that names the company's exports that have not ended."""
    return {PK: company_pk(company_id), SK: "RUNNING_EXPORTS"}


def waiting_job_key(company_id: str, job_id: str, rounds: int) -> dict[str, str]:
    """Return the key of a job that waits for a slot; they sort by rounds, then by the jobs' age."""
    return {PK: company_pk(company_id), SK: f"{WAITING_JOB_PREFIX}{rounds:05}#{job_id}"}
