"""Hand a job what its table remembers, as an object beside the job's own.

A recipe of 1,500 columns is more than a record holds.
"""

from managed_tables.catalog.job_records import JobRecord
from managed_tables.ids import new_record_id
from managed_tables.object_keys import RECIPE, attempt_key
from managed_tables.services import Services
from managed_tables.tables.memory import recall


def store_memory(services: Services, job: JobRecord) -> str | None:
    """Store what the job's table remembers now, and return the object's key; None where that is nothing.

    Where the record does not come to name it, the bucket's lifecycle deletes it.
    """
    if job.user_table_id is None:
        return None
    with services.open_company(services.provisioning.require(job.company_id)) as connection:
        recalled = recall(connection, job.user_table_id)
    if recalled is None:
        return None
    key = attempt_key(job.company_id, job.job_id, new_record_id(), RECIPE)
    services.storage.put_json(key, recalled.as_json())
    return key
