"""Confirm a job's schema, in an order of steps that may be interrupted anywhere.

The name is reserved and the schema written to S3 first; the job's record then names both, in the one
conditional write that decides; the state machine is notified last. Interrupted before the decision, the
job still waits, and the reservation expires; interrupted after it, a repeated confirmation or the sweep
notifies the state machine again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from managed_tables import errors, exact_json
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord, JobStatus
from managed_tables.catalog.tables import Applied, TableRecord
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.databases.connecting import PgConnection
from managed_tables.details import UNKNOWN_COLUMN, UNKNOWN_TIMEZONE, Fault, detail
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.statements import ConfirmedDocument, LoadTerms, WantedSchema
from managed_tables.errors import ApiError
from managed_tables.history import find_new_names
from managed_tables.jobs.confirmed_columns import resolve_columns
from managed_tables.object_keys import confirmed_name, job_key
from managed_tables.schema import Column
from managed_tables.services import Services
from managed_tables.tables import definitions

_MISSING = Fault("MISSING_COLUMN", "obrigatória na tabela")
_NO_MODE = Fault("UNKNOWN_FIELD", "um envio que faz uma tabela não tem outro modo")
_NO_WORKBOOK = Fault("NOT_ALLOWED", "o arquivo não é uma planilha que voltou para a sua tabela")

DECISIONS_MAX = 3  # each after another reading of the files has been recorded meanwhile


def confirm_job(
    services: Services,
    job: JobRecord,
    wanted: WantedSchema,
    *,
    waiting: JobStatus = "waiting_confirm",
    judge: Callable[[JobRecord, ConfirmedDocument], None] | None = None,
) -> None:
    """Set the job going with the schema that is wanted; the same one again is no second time.

    `waiting` is the status in which the job can be confirmed; `judge` raises INVALID_SCHEMA where repairs do
    not fit. Raises INVALID_SCHEMA, JOB_NOT_WAITING,
    ANALYSIS_GONE, DUPLICATE_NAME and, for an existing table, TABLE_INACTIVE, TABLE_NOT_FOUND
    and TABLE_WITHOUT_KEY.
    """
    if job.mode == "create":
        definitions.check_table_name(wanted.display_name or "")
    for _ in range(DECISIONS_MAX):
        if job.status != waiting:
            break
        job = _decide(services, job, wanted, waiting, judge)
    if job.status != "inserting" or job.confirmed_digest != wanted.digest:
        raise ApiError(errors.JOB_NOT_WAITING)
    services.shares.resume(job)


def _decide(
    services: Services,
    job: JobRecord,
    wanted: WantedSchema,
    waiting: JobStatus,
    judge: Callable[[JobRecord, ConfirmedDocument], None] | None,
) -> JobRecord:
    """Return the job as it is when one confirmation, ours or another, has been taken."""
    analysis = services.job_documents.get_analysis(job)
    job = _in_mode(job, wanted.terms)
    company = services.provisioning.require(job.company_id)
    _raise_zone_faults(services, job, wanted)
    complete = _for_new_table if job.mode == "create" else _for_existing_table
    confirmed = complete(services, company, job, wanted, analysis)
    if judge is not None and confirmed.terms.repairs:
        judge(job, confirmed)
    document = confirmed.as_json()
    name = confirmed_name(job.confirmations + 1, exact_json.digest(document))
    key = job_key(job.company_id, job.job_id, name)
    services.storage.put_json(key, document)
    reserved = confirmed.table_id if job.mode == "create" else None
    decided = services.jobs.confirm(
        job,
        confirmed_key=key,
        digest=wanted.digest,
        reserved_table_id=reserved,
        mode=job.mode,
        total_rows=analysis.row_count,
        waiting=waiting,
    )
    if decided is not None:
        return decided
    current = services.jobs.get(job.company_id, job.job_id)
    if reserved and current.reserved_table_id != reserved:  # else the one first reserved the same name
        services.reconciliation.end_reservation(company, reserved)
    return current


def find_unknown_zones(connection: PgConnection, zones: Collection[str]) -> set[str]:
    """Return the time zones that the company's PostgreSQL does not know: our list may be newer than its own.

    A load would fail by them.
    """
    query = "SELECT name FROM pg_timezone_names WHERE name = ANY(%s)"
    return {*zones}.difference(name for (name,) in connection.execute(query, [[*zones]]))


def _raise_zone_faults(services: Services, job: JobRecord, wanted: WantedSchema) -> None:
    """Raise INVALID_SCHEMA where the company's PostgreSQL does not know a column's time zone."""
    zones = {name: choice.timezone for name, choice in wanted.terms.choices.items() if choice.timezone}
    if not zones:
        return
    with services.open_company(services.provisioning.require(job.company_id)) as connection:
        unknown = find_unknown_zones(connection, zones.values())
    details = [
        definitions.column_fault(index, column.name, UNKNOWN_TIMEZONE, field="timezone", value=zone)
        for index, column in enumerate(wanted.columns)
        if (zone := zones.get(column.name)) in unknown
    ]
    definitions.raise_faults(details)


def _in_mode(job: JobRecord, terms: LoadTerms) -> JobRecord:
    """Return the job in the mode that is stated; raises INVALID_SCHEMA where it makes a table."""
    if terms.mode is None:
        return job
    if job.mode == "create":
        raise ApiError(errors.INVALID_SCHEMA, [detail("body", _NO_MODE, path="mode")])
    if terms.mode == "merge" != job.mode:
        raise ApiError(errors.INVALID_SCHEMA, [detail("body", _NO_WORKBOOK, path="mode")])
    return replace(job, mode=terms.mode)


def _for_new_table(
    services: Services,
    company: ConnectionRecord,
    job: JobRecord,
    wanted: WantedSchema,
    analysis: AnalysisDocument,
) -> ConfirmedDocument:
    """Return the confirmation of a table's making, whose name is reserved now or by an earlier attempt."""
    wanted = resolve_columns(wanted, analysis, ())
    raise_nullable_faults(wanted.terms, ())
    definitions.put_on(
        Applied(version=1, display_name="", status="active", columns=tuple(wanted.columns)), wanted.additions
    )
    name = wanted.display_name or ""
    table = services.reconciliation.reserve(company, job.job_id, job.user_id, name, wanted.columns)
    made = {"display_name": name, "table_id": table.table_id, "own_columns": []}
    return ConfirmedDocument(**{**dict(wanted), **made})


def _for_existing_table(
    services: Services,
    company: ConnectionRecord,
    job: JobRecord,
    wanted: WantedSchema,
    analysis: AnalysisDocument,
) -> ConfirmedDocument:
    """Return the confirmation of a load into the job's table, whose columns hold as they are."""
    table, opened = services.table_reading.get(company, job.user_table_id or ""), wanted.terms.make_nullable
    if table.status != "active":
        raise ApiError(errors.TABLE_INACTIVE)
    own = table.columns
    own_names = {column.name for column in own}
    renamed = _renamed_since(services, company, table, analysis)
    if job.mode == "merge":
        wanted = _for_workbook(wanted, analysis, table, renamed)
    else:
        wanted = resolve_columns(wanted, analysis, own_names, renamed)
    raise_nullable_faults(wanted.terms, own_names)
    needed = _needed_names(job, table, opened)
    columns = _columns_for(definitions.with_nulls(own, opened), wanted.columns, needed)
    return ConfirmedDocument(
        display_name=table.display_name,
        columns=columns,
        terms=wanted.terms,
        table_id=table.table_id,
        own_columns=[column.name for column in columns if column.name in own_names],
        key=needed if job.mode == "upsert" else None,
    )


def workbook_schema(
    analysis: AnalysisDocument, own: Sequence[Column]
) -> tuple[list[Column], dict[str, ColumnChoice]]:
    """Return the table's columns that a workbook brings back, of the type that went out, and sources."""
    by_name = {column.name: column for column in own}
    found = [
        (by_name[one.name], ColumnChoice(source=one.source))
        for one in (analysis.workbook.columns if analysis.workbook else ())
        if one.name in by_name and by_name[one.name].type is one.type
    ]
    return [column for column, _ in found], {column.name: choice for column, choice in found}


def _for_workbook(
    wanted: WantedSchema, analysis: AnalysisDocument, table: TableRecord, renamed: frozenset[str]
) -> WantedSchema:
    """Return what is merged: all that a workbook brings back or, of that, the columns that are named."""
    columns, choices = workbook_schema(analysis, table.columns)
    if wanted.columns:
        known = {column.name for column in table.columns}
        stated = resolve_columns(wanted, analysis, known, renamed)
        kept = {column.name for column in stated.columns}
        columns = [column for column in columns if column.name in kept]
        choices = {
            column.name: stated.terms.choice(column.name).model_copy(
                update={"source": choices[column.name].source}
            )
            for column in columns
        }
    terms = wanted.terms.model_copy(update={"choices": choices, "remember": False, "make_nullable": ()})
    return wanted.model_copy(update={"columns": columns, "terms": terms, "targets": {}})


def _renamed_since(
    services: Services, company: ConnectionRecord, table: TableRecord, analysis: AnalysisDocument
) -> frozenset[str]:
    """Return the names that may be another column's since the files were read.

    A table that is as it was has none; of one that has changed all renames count, for none says when it was.
    """
    if analysis.table_version in (None, table.version):
        return frozenset()
    with services.open_company(company) as connection:
        return find_new_names(connection, table.table_id)


def _needed_names(job: JobRecord, table: TableRecord, opened: Collection[str]) -> list[str]:
    """Return the names of the columns that the file must have, but those opened; raises TABLE_WITHOUT_KEY.

    An upsert finds rows by the key; whether it brings new ones, which need more, its rows will say. So will
    those of a workbook.
    """
    if job.mode == "merge":
        return []
    if job.mode != "upsert":
        key = table.key or ()
        required = [column.name for column in table.columns if column.is_required]
        return [name for name in required if name not in opened or name in key]
    if table.key is None:
        raise ApiError(errors.TABLE_WITHOUT_KEY)
    return list(table.key)


def raise_nullable_faults(terms: LoadTerms, known: Collection[str]) -> None:
    """Raise INVALID_SCHEMA unless the table has the columns that are to let NULL in."""
    details = [
        detail("body", UNKNOWN_COLUMN, path=f"make_nullable[{index}]", column=name)
        for index, name in enumerate(terms.make_nullable)
        if name not in known
    ]
    if details:
        raise ApiError(errors.INVALID_SCHEMA, details)


def _columns_for(existing: Sequence[Column], wanted: Sequence[Column], needed: Sequence[str]) -> list[Column]:
    """Return the columns as they will hold in an existing table: its own as they are, new ones as wanted."""
    own = {column.name: column for column in existing}
    new = [_opened(column) for column in wanted if column.name not in own]
    _require(needed, {column.name for column in wanted})
    definitions.check_columns([*existing, *new])
    known = own | {column.name: column for column in new}
    return [known[column.name] for column in wanted]


def _opened(column: Column) -> Column:
    """Return a column that is new to a table as it can be there: rows of before have no value in it."""
    return column.model_copy(update={"nullable": True}) if column.is_required else column


def _require(needed: Sequence[str], names: Collection[str]) -> None:
    """Raise INVALID_SCHEMA where a name is missing."""
    missing = [name for name in needed if name not in names]
    if missing:
        details = [detail("body", _MISSING, path="columns", column=name) for name in missing]
        reason = f"faltam colunas obrigatórias: {', '.join(missing)}"
        raise ApiError(errors.INVALID_SCHEMA, details, reason=reason)
