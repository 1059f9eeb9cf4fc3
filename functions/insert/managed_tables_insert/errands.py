"""What the function does beside loading, for those that lack what it has: PostgreSQL, DuckDB, a slot.

Each errand is a function of the services and its event, and may be repeated. It is known by the key that its
events alone have: executions that were started under an older version call with the same ones.
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypedDict

from managed_tables.aws.storage import ObjectMissing
from managed_tables.catalog.job_records import JobEvent, JobRecord, StepOutcome
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.jobs.staged_rows import Origin, staged_rows
from managed_tables.jobs.table_memory import store_memory
from managed_tables.object_keys import STAGED_OBJECT
from managed_tables.services import Services
from managed_tables_insert.converter import open_converter
from managed_tables_insert.deciding import Asked, find_misfits, judge_repairs
from managed_tables_insert.plan import find_places
from managed_tables_insert.workbooks import plan_merge


class ErrandEvent(JobEvent, total=False):
    """The job, and of each errand what it needs."""

    task_token: str  # the execution waits for a slot
    rounds: int
    recall: bool  # the job is handed what its table remembers, which Analyze cannot ask PostgreSQL for
    origin_of: int  # the API asks where the row of this number stands in the job's files
    confirmed: dict[str, Any]  # what is to be loaded, of the two below
    judge_repairs: bool  # it asks which of the repairs do not fit
    misfits: dict[str, Any]  # it asks which values do not fit, and what may be put in their place
    plan_merge: bool  # the state machine has what a workbook changes planned


class ErrandAnswer(TypedDict, total=False):
    """What was asked for; nothing where the call was no question."""

    origin: Origin | None
    faults: list[dict[str, Any]]
    misfits: dict[str, Any]


Errand = Callable[[Services, ErrandEvent], ErrandAnswer | StepOutcome]


def _wait(services: Services, event: ErrandEvent) -> ErrandAnswer:
    wait_for_slot(services, event["company_id"], event["job_id"], event["task_token"], int(event["rounds"]))
    return {}


def _recall(services: Services, event: ErrandEvent) -> ErrandAnswer:
    recall_for(services, event["company_id"], event["job_id"])
    return {}


def _tell_origin(services: Services, event: ErrandEvent) -> ErrandAnswer:
    job = services.jobs.find(event["company_id"], event["job_id"])
    return {"origin": find_origin(services, job, int(event["origin_of"])) if job else None}


def _judge_repairs(services: Services, event: ErrandEvent) -> ErrandAnswer:
    job = services.jobs.get(event["company_id"], event["job_id"])
    return {"faults": judge_repairs(services, job, ConfirmedDocument.read(event["confirmed"]))}


def _find_misfits(services: Services, event: ErrandEvent) -> ErrandAnswer:
    job = services.jobs.get(event["company_id"], event["job_id"])
    confirmed = ConfirmedDocument.read(event["confirmed"])
    return {"misfits": find_misfits(services, job, confirmed, Asked(**event["misfits"]))}


def _plan_merge(services: Services, event: ErrandEvent) -> StepOutcome:
    return plan_merge(services, services.jobs.get(event["company_id"], event["job_id"]))


ERRANDS: Mapping[str, Errand] = {
    "task_token": _wait,
    "recall": _recall,
    "origin_of": _tell_origin,
    "judge_repairs": _judge_repairs,
    "misfits": _find_misfits,
    "plan_merge": _plan_merge,
}


def find_errand(event: ErrandEvent) -> Errand | None:
    """Return the errand that the event is for; None where it is to load."""
    return next((errand for key, errand in ERRANDS.items() if key in event), None)


def wait_for_slot(services: Services, company_id: str, job_id: str, task_token: str, rounds: int) -> None:
    """Let the execution that waits with this token go on once its job has a slot or has ended; repeatable."""
    job = services.jobs.keep_token(company_id, job_id, task_token)
    if job is None:
        services.executions.resume(task_token, {})
    else:
        services.shares.admit(job, rounds)


def recall_for(services: Services, company_id: str, job_id: str) -> None:
    """Store what the job's table remembers, as it is now, unless it is stored already; repeatable.

    A step of the execution takes it, not whoever makes the job: that may be the inbox, which reaches no
    PostgreSQL, and a database that sleeps keeps nobody from uploading.
    """
    job = services.jobs.find(company_id, job_id)
    if job is None or job.recipe_key is not None or job.analysis_key is not None:
        return
    if key := store_memory(services, job):
        services.jobs.keep_recipe(job, key)


def find_origin(services: Services, job: JobRecord, number: int) -> Origin | None:
    """Return where the row of this number, from 0, stands; None once it is gone."""
    analysis = services.job_documents.find_analysis(job)
    if analysis is None or job.staged_key is None:
        return None
    with tempfile.TemporaryDirectory() as folder, open_converter(Path(folder)) as converter:
        staged = Path(folder) / STAGED_OBJECT
        try:
            services.storage.download(job.staged_key, staged)
        except ObjectMissing:
            return None
        cells = [f"c{place}" for place in range(len(analysis.columns))]
        place = find_places(converter, staged_rows(staged), cells, analysis.files, [number]).get(number)
    return None if place is None else Origin(**place._asdict())  # type: ignore[typeddict-item]
