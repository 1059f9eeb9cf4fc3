"""Plan the merge of a workbook that has come back, before a person confirms it and when it is loaded."""

import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables import errors
from managed_tables.aws.storage import ObjectMissing
from managed_tables.catalog.job_records import JobRecord, StepOutcome, failed_outcome
from managed_tables.catalog.tables import TableRecord
from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.statements import ConfirmedDocument, LoadTerms
from managed_tables.documents.workbooks import Base, MergePlan, RefusedRow, ReturnedWorkbook
from managed_tables.errors import ApiError, JobError
from managed_tables.jobs.confirmation import workbook_schema
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.object_keys import BASE, BASE_ROWS, STAGED_OBJECT, base_key, merge_plan_key
from managed_tables.observability import get_logger
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables_insert.converter import open_converter
from managed_tables_insert.loading import Load
from managed_tables_insert.merging import ROW_MARK
from managed_tables_insert.misfits import find_rows
from managed_tables_insert.plan import NO_BASE, BaseRows, LoadPlan, leave_out_rows, make_plan

_VALUELESS = "a fórmula veio sem o resultado: abra e salve a planilha no Excel, ou escreva o valor"
_MARK = Column.model_construct(name=ROW_MARK, display_name=ROW_MARK, type=ColumnType.TEXT, nullable=True)


def make_workbook_plan(
    services: Services,
    job: JobRecord,
    confirmed: ConfirmedDocument,
    columns: tuple[Column, ...],
    staged: Path,
) -> LoadPlan:
    """Return the plan of a workbook's rows, its base beside the staged object; raises BASE_GONE."""
    analysis = services.job_documents.get_analysis(job)
    workbook = analysis.workbook
    if workbook is None:
        raise JobError(errors.BASE_GONE, reason=NO_BASE)
    base = _fetch_base(services, job.company_id, confirmed.table_id, workbook.base_id, staged.parent)
    zone = services.settings.default_timezone
    return plan_against(base, staged, analysis, workbook.ids, columns, zone, confirmed.terms)


def plan_against(
    base: BaseRows,
    staged: Path,
    analysis: AnalysisDocument,
    ids: str,
    columns: tuple[Column, ...],
    timezone: str,
    terms: LoadTerms,
) -> LoadPlan:
    """Return the plan of staged rows that are compared with the base; `ids` is the column of theirs."""
    choices = {**terms.choices, ROW_MARK: ColumnChoice(source=ids)}
    marked = terms.model_copy(update={"choices": choices})
    plan = make_plan(staged, analysis, (*columns, _MARK), timezone, marked)
    return replace(plan, base=base, mark=plan.columns[-1].cell)


def find_valueless(plan: LoadPlan, workbook: ReturnedWorkbook) -> list[RefusedRow]:
    """Return the rows with a formula of a merged column whose result the file does not hold."""
    planned = {loaded.column.name for loaded in plan.columns}
    merged = {one.source: one.name for one in workbook.columns if one.name in planned}
    return [
        RefusedRow(line=line, column=merged[source], code="REQUIRED", reason=_VALUELESS)
        for line, source in workbook.valueless
        if source in merged
    ]


def without_valueless(converter: DuckDBPyConnection, plan: LoadPlan, rows: list[RefusedRow]) -> LoadPlan:
    """Return the plan without these rows."""
    if not rows:
        return plan
    lines = ", ".join(str(one.line) for one in rows)
    found = converter.execute(
        f"SELECT {ROW_NUMBER} FROM {staged_rows(plan.staged)} WHERE line IN ({lines})"  # noqa: S608 - own SQL
    ).fetchall()
    numbers = [number for (number,) in found]
    return leave_out_rows(converter, plan, numbers, [_VALUELESS] * len(numbers))


def plan_merge(services: Services, job: JobRecord) -> StepOutcome:
    """Store what becomes of the workbook's rows; the job fails where its ids are not those of its rows."""
    outcome: StepOutcome = {"outcome": "analyzed", "auto_confirm": job.goes_on_alone}
    if job.mode != "merge" or job.status != "analisando":
        return outcome
    try:
        found = _plan(services, job)
    except JobError as error:
        get_logger("insert").info("not merged", code=error.kind.code)
        services.jobs.fail(job, error.as_record())
        return failed_outcome(error.as_record())
    services.storage.put_json(merge_plan_key(job.analysis_key or ""), found.as_json())
    return outcome


def renew_plan(services: Services, job: JobRecord) -> None:
    """Plan the merge anew, as the table is by now."""
    services.storage.put_json(merge_plan_key(job.analysis_key or ""), _plan(services, job).as_json())


def _plan(services: Services, job: JobRecord) -> MergePlan:
    company, analysis = (
        services.provisioning.require(job.company_id),
        services.job_documents.get_analysis(job),
    )
    try:
        table = services.table_reading.get(company, job.user_table_id or "")
    except ApiError as error:
        if error.kind is not errors.TABLE_NOT_FOUND:
            raise
        raise JobError(errors.TABLE_GONE) from error
    with (
        tempfile.TemporaryDirectory() as folder,
        open_converter(Path(folder)) as converter,
        closing(services.databases.open_company_connection(company, services.load_limits)) as connection,
    ):
        staged = Path(folder) / STAGED_OBJECT
        try:
            services.storage.download(job.staged_key or "", staged)
        except ObjectMissing as error:
            raise JobError(errors.FILES_GONE) from error
        confirmed = _as_found(analysis, table)
        load = Load(connection, converter, job, confirmed)
        plan = make_workbook_plan(services, job, confirmed, tuple(confirmed.columns), staged)
        valueless = find_valueless(plan, analysis.workbook) if analysis.workbook else []
        plan = replace(without_valueless(converter, plan, valueless), skips_misfits=True)
        lines = {one.line for one in valueless}
        misfits = [
            RefusedRow(
                line=place.line, column=one.loaded.column.name, code=one.fault.code, reason=one.fault.reason
            )
            for place, found, _ in find_rows(converter, plan)
            for one in found
            if place.line not in lines
        ]
        return load.plan_merge(plan, [*valueless, *misfits])


def _as_found(analysis: AnalysisDocument, table: TableRecord) -> ConfirmedDocument:
    """Return the confirmation of all that the workbook has, as it was inferred."""
    columns, choices = workbook_schema(analysis, table.columns)
    return ConfirmedDocument(
        display_name=table.display_name,
        columns=columns,
        terms=LoadTerms(choices=choices),
        table_id=table.table_id,
    )


def _fetch_base(services: Services, company_id: str, table_id: str, base_id: str, folder: Path) -> BaseRows:
    stored = services.storage.find_json(base_key(company_id, table_id, base_id, BASE))
    target = folder / BASE_ROWS
    try:
        if stored is None:
            raise ObjectMissing
        services.storage.download(base_key(company_id, table_id, base_id, BASE_ROWS), target)
    except ObjectMissing as error:
        raise JobError(errors.BASE_GONE, reason=NO_BASE) from error
    return BaseRows(target, Base.read(stored).columns)
