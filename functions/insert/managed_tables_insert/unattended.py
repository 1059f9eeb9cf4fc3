"""Confirm the inferred schema of a job that nobody reviews, by the rules of the route.

Either an object of the inbox asks for it, and what cannot be confirmed fails; or the files are as the table
remembers, and what cannot be confirmed waits for a person.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import cast

from managed_tables import errors
from managed_tables.catalog.job_records import JobRecord, StepOutcome
from managed_tables.catalog.tables import Target
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.recipes import FormerColumn, Recipe, find_former_columns
from managed_tables.documents.repairs import MAX_VALUES, Repair, Repairs
from managed_tables.documents.statements import LoadTerms, ReadingStatement, WantedSchema
from managed_tables.errors import ApiError, JobError, JobErrorKind
from managed_tables.ids import new_record_id
from managed_tables.jobs.confirmation import confirm_job
from managed_tables.jobs.table_memory import store_memory
from managed_tables.object_keys import OVERRIDES, attempt_key
from managed_tables.observability import get_logger
from managed_tables.schema import Column
from managed_tables.services import Services
from managed_tables.tables.memory import is_as_recalled
from managed_tables.tables.recipes import find_recipe

# Of another run of this step, or another operation: tried again
_REJECTED: StepOutcome = {"outcome": "rejected"}  # it waits for a person
_PASSING = (errors.JOB_NOT_WAITING, errors.TABLE_BUSY)


def confirm_unattended(services: Services, job: JobRecord) -> bool:
    """Confirm the inferred schema for the table that the job names; False if another job is making the table.

    Raises CONFIRMATION_REFUSED, in the words that a person would have read.
    """
    intake = job.intake
    if intake is None:
        raise ValueError("a job of the inbox has an intake")
    target = services.tables.find_target(job.company_id, intake)
    is_merge = job.mode == "merge" and job.user_table_id == target.table_id
    if not is_merge and (job.mode, job.user_table_id) != (target.mode, target.table_id):
        job = services.jobs.retarget(job, target.mode, target.table_id) or job
    try:
        wanted = _wanted(services, job, intake.table_name, target)
        confirm_job(services, job, wanted, waiting="analisando")
    except ApiError as error:
        if error.kind in (errors.DUPLICATE_NAME, errors.TABLE_NOT_FOUND):  # changed since we looked
            return False
        if error.kind.status >= 500 or error.kind in _PASSING:
            raise
        raise _refused(error, errors.CONFIRMATION_REFUSED) from error
    return True


def confirm_unchanged(services: Services, job: JobRecord) -> StepOutcome | None:
    """Confirm a job of whose files all is proven, as the recipe says now; return the outcome where it is not.

    A person must where the recipe says otherwise, or another job is bringing the same file, whose rows would
    double. Where table or recipe changed since, before the files were read or after, they are read again,
    once. Raises what passes: TABLE_BUSY, JOB_NOT_WAITING where another run was first, and faults.
    """
    recipe = _find_recipe(services, job, job.user_table_id or "")
    if recipe is not None and not job.may_go_as(recipe):
        return _REJECTED
    if recipe is None or not _is_as_recalled(services, job):
        again = recipe and read_again(services, job)
        return again or _wait(services, job, JobError(errors.RECIPE_CHANGED))
    return _confirm(services, job, recipe)


def _confirm(services: Services, job: JobRecord, recipe: Recipe) -> StepOutcome | None:
    """Confirm the job by the recipe's mode, or leave it to a person."""
    table_id = job.user_table_id or ""
    if recipe.mode != job.mode and not job.states_mode:
        job = services.jobs.retarget(job, recipe.mode, table_id) or job
    if job.mode == "append" and not services.imports.claim(job, table_id):
        return _wait(services, job, JobError(errors.FILES_IMPORTED))
    try:
        confirm_job(services, job, _as_before(services, job, recipe), waiting="analisando")
    except ApiError as error:
        if error.kind.status >= 500 or error.kind in _PASSING:
            raise
        services.imports.forget(job)
        return _wait(services, job, _refused(error, errors.CONFIRMATION_WAITS))
    return None


def _refused(error: ApiError, kind: JobErrorKind) -> JobError:
    """Return why the job was not confirmed, in the words that a person would have read."""
    return JobError(kind, error.details, error.details_total, reason=error.sentence)


def _wait(services: Services, job: JobRecord, why: JobError) -> StepOutcome:
    """Leave the job to a person, and say why."""
    get_logger("insert").info("a person is to confirm", code=why.kind.code)
    services.jobs.keep_analysis(job, why.as_record())
    return _REJECTED


def read_again(services: Services, job: JobRecord) -> StepOutcome | None:
    """Have a job's files read under what its table says now, if they were not already; else None."""
    if job.is_read_again:
        return None
    recipe_key = store_memory(services, job)
    if recipe_key is None:
        return None
    wish_key = attempt_key(job.company_id, job.job_id, new_record_id(), OVERRIDES)
    services.storage.put_json(wish_key, ReadingStatement().as_json())
    services.imports.forget(job)
    if services.jobs.read_again(job, wish_key=wish_key, recipe_key=recipe_key) is None:
        raise ApiError(errors.JOB_NOT_WAITING)  # another run was first: this one is tried again
    get_logger("insert").info("read again", job_id=job.job_id)
    return {"outcome": "reanalyze"}


def _is_as_recalled(services: Services, job: JobRecord) -> bool:
    """Return whether all is still proven; what Analyze saw of the table may have been another version."""
    recalled = services.job_documents.find_recalled(job)
    if recalled is None or not services.job_documents.get_analysis(job).is_proven:
        return False
    with services.open_company(services.provisioning.require(job.company_id)) as connection:
        return is_as_recalled(connection, job.user_table_id or "", recalled)


def _as_before(services: Services, job: JobRecord, recipe: Recipe) -> WantedSchema:
    """Return the file's columns where they go in the table; those that were left out before stay out."""
    analysis = services.job_documents.get_analysis(job)
    fed = [(given, given.table_column) for given in analysis.inferred_schema.columns if given.table_column]
    columns = [given.column.model_copy(update={"name": own.name, "type": own.type}) for given, own in fed]
    choices = {own.name: ColumnChoice(source=given.name) for given, own in fed if given.name != own.name}
    return WantedSchema(
        display_name=None, columns=columns, terms=LoadTerms(choices=choices, on_misfit=recipe.on_misfit)
    )


def _wanted(services: Services, job: JobRecord, display_name: str | None, target: Target) -> WantedSchema:
    """Return what is confirmed: the inferred schema or, of a workbook that has come back, all of it."""
    if job.mode == "merge":
        return WantedSchema(display_name=display_name, columns=[])
    return _schema(services, job, display_name, target)


def _schema(services: Services, job: JobRecord, display_name: str | None, target: Target) -> WantedSchema:
    """Return the inferred schema, its columns going where the table's recipe, or else their labels, say.

    New columns accept NULL: next month's file may have a blank.
    """
    inferred = services.job_documents.get_analysis(job).inferred_schema.columns
    known, recipe = _look_at(services, job, target)
    former = find_former_columns(recipe, [given.source or given.name for given in inferred])
    columns: list[Column] = []
    choices: dict[str, ColumnChoice] = {}
    gone: dict[str, None] = {}
    for given, before in zip(inferred, former, strict=True):
        fed = given.table_column or before or given  # as the analysis saw the table, if it was there already
        if fed.name in known:
            choice = before.choice if before else ColumnChoice()
            choices[str(fed.name)] = choice.model_copy(update={"source": given.name})
            columns.append(given.column.model_copy(update={"name": fed.name}))
        elif before is None or given.table_column:  # whose name has changed since: no value is dropped
            columns.append(given.column.model_copy(update={"nullable": True}))
            gone |= {given.name: None} if given.table_column else {}
    terms = LoadTerms(choices=choices, repairs=_kept_repairs(columns, choices, former))
    return WantedSchema(display_name=display_name, columns=columns, terms=terms, targets=gone)


def _kept_repairs(
    columns: Sequence[Column], choices: Mapping[str, ColumnChoice], former: Sequence[FormerColumn | None]
) -> Repairs | None:
    """Return the recipe's repairs of the columns that are loaded: the files may have been read without it."""
    by_name = {one.name: one.kept.repairs for one in former if one and one.kept}
    names = [column.name for column in columns if column.name in choices]
    kept = [cast("Repair", {**one, "column": name}) for name in names for one in by_name.get(name, ())]
    return tuple(kept[:MAX_VALUES]) or None


def _look_at(services: Services, job: JobRecord, target: Target) -> tuple[Collection[str], Recipe | None]:
    """Return the names of the target's columns, and its recipe; of a table that is yet to be made neither."""
    table = services.tables.find(job.company_id, target.table_id) if target.table_id else None
    if table is None:
        return (), None
    return {column.name for column in table.columns}, _find_recipe(services, job, table.table_id)


def _find_recipe(services: Services, job: JobRecord, table_id: str) -> Recipe | None:
    with services.open_company(services.provisioning.require(job.company_id)) as connection:
        return find_recipe(connection, table_id)
