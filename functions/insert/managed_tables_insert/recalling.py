"""Hand a job what its table remembers, before its files are read."""

from managed_tables.ids import new_record_id
from managed_tables.object_keys import RECIPE, attempt_key
from managed_tables.tables.recipes import recall
from managed_tables.wiring.services import Services


def recall_for(services: Services, company_id: str, job_id: str) -> None:
    """Store what the job's table remembers, as it is now, unless it is stored already; repeatable.

    It is an object beside the job's own, since a recipe of 1,500 columns is more than a record holds. A step
    of the execution takes it, not whoever makes the job: that may be the inbox, which reaches no PostgreSQL,
    and a database that sleeps keeps nobody from uploading.
    """
    job = services.jobs.find(company_id, job_id)
    if job is None or job.user_table_id is None or job.recipe_key is not None or job.analysis_key is not None:
        return
    with services.open_company(services.provisioning.require(company_id)) as connection:
        recalled = recall(connection, job.user_table_id)
    if recalled is None:
        return
    key = attempt_key(company_id, job_id, new_record_id(), RECIPE)
    services.storage.put_json(key, recalled.as_json())
    # Where another run was first, the bucket's lifecycle deletes this one.
    services.jobs.keep_recipe(job, key)
