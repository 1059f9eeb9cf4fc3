"""Answer which values of a job's files a person is asked about, and what a draft's repairs leave of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationError

from managed_tables import errors, exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.documents.analyses import AnalysisDocument, FileWarning, InferredColumn
from managed_tables.documents.document import Count, Document, Sentence, built
from managed_tables.documents.repairs import Repair, Repairs
from managed_tables.documents.statements import ConfirmedDocument, Draft, LoadTerms, WantedSchema
from managed_tables.errors import ApiError
from managed_tables.exact_json import Object
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.jobs.confirmed_columns import resolve_columns
from managed_tables.messages.findings import Finding
from managed_tables.rules.rule import MAX_RULES
from managed_tables.schema import Column
from managed_tables.tables.definitions import raise_faults
from managed_tables_api.http.requests import ListAnswer, PageQuery, refusal
from managed_tables_api.job_models import ColumnToConfirm
from managed_tables_api.services import ApiServices

MAX_ANSWER_BYTES = 1_000_000
_NO_COLUMN = Fault("UNKNOWN_COLUMN", "não está entre as colunas que são importadas")


class MisfitsQuery(PageQuery):
    """Which values."""

    column: str | None = Field(default=None, description="Só os desta coluna")
    rule: str | None = Field(default=None, description="Só os que quebram esta regra da tabela, pelo `id`")
    kind: Literal["misfit", "alike"] = Field(
        default="misfit",
        description="`misfit`: os que não cabem na coluna ou quebram uma regra; `alike`: textos que só "
        "diferem de outro mais frequente em maiúsculas, acentos, espaços, pontuação ou ordem das palavras",
    )


class FirstPlace(Document):
    """Where a value stands first."""

    file: str
    sheet: str | None
    line: Annotated[int, Field(ge=1)]


class ValueSuggestion(Document):
    """What may be put in a value's place: a text, or nothing; it fits the column and its rules."""

    to: str | None = None
    empty: bool = Field(default=False, description="true: a célula fica vazia")
    reason: Sentence


class MisfitValue(Document):
    """A distinct text of a column, as the files have it."""

    column: str
    value: str = Field(description='Até 1.000 caracteres; "" onde a célula está vazia')
    count: Count = Field(description="Em quantas linhas está")
    first: FirstPlace
    code: DetailCode
    rule: str | None = Field(description="`id` da regra que ele quebra; null: não cabe na coluna")
    reason: Sentence
    suggestions: list[ValueSuggestion] = Field(max_length=3)


class MisfitsLeft(Document):
    """In how many rows a column has values that do not fit, or that break a rule."""

    column: str
    rule: str | None
    count: Count


class MisfitsAnswer(ListAnswer):
    """A page of values, the most frequent first, of 1 MB at most."""

    left: Annotated[list[MisfitsLeft], Field(max_length=MAX_COLUMNS + MAX_RULES)] = Field(
        description="Por coluna e regra, em quantas linhas estão; vazio para `alike`"
    )
    records: Annotated[list[MisfitValue], Field(max_length=100)]


def show_misfits(services: ApiServices, job: JobRecord, asked: MisfitsQuery) -> MisfitsAnswer:
    """Return the values under the job's draft: its repairs, and what it says of columns.

    Raises JOB_NOT_WAITING, ANALYSIS_GONE, STORAGE_UNAVAILABLE, and INVALID_REQUEST for an unknown column.
    """
    if job.status != "waiting_confirm":
        raise ApiError(errors.JOB_NOT_WAITING)
    analysis = services.job_documents.find_analysis(job)
    if analysis is None:
        raise ApiError(errors.ANALYSIS_GONE)
    draft = services.job_documents.find(Draft, job.draft_key) or Draft()
    confirmed = _drafted(services, job, analysis, draft)
    names = {column.name for column in confirmed.columns}
    if asked.column is not None and asked.column not in names:
        raise refusal("column", _NO_COLUMN, "query", value=asked.column)
    found = services.ask_loader(job, "misfits", misfits=asked.model_dump(), confirmed=confirmed.as_json())
    records = [MisfitValue.read(one) for one in found["records"]]
    shown = _fitting(records)
    left = [MisfitsLeft.read(one) for one in found["left"]]
    return MisfitsAnswer(total=found["total"], quantity=len(shown), left=left, records=shown)


def refuse_new_repairs(services: ApiServices, job: JobRecord, draft: Draft) -> None:
    """Raise INVALID_SCHEMA where a draft has repairs that do not fit, and that it did not have before."""
    sent = draft.repairs or ()
    analysis = services.job_documents.find_analysis(job) if sent else None
    if analysis is None:  # or the files are being read for the first time
        return
    kept = services.job_documents.find(Draft, job.draft_key) or Draft()
    known = [*(kept.repairs or ()), *lost_repairs(draft, analysis)]
    places = [at for at, one in enumerate(sent) if one not in known]
    if not places:  # most drafts change something else: the table need not be read
        return
    fresh = tuple(sent[at] for at in places)
    confirmed = _drafted(services, job, analysis, draft.model_copy(update={"repairs": fresh}))
    if len(confirmed.terms.repairs or ()) == len(places):  # else some are of columns that stay out
        refuse_unfitting(services, job, confirmed, places)


def refuse_unfitting(
    services: ApiServices, job: JobRecord, confirmed: ConfirmedDocument, places: Sequence[int] = ()
) -> None:
    """Raise INVALID_SCHEMA naming the repairs whose outcome does not fit its column, or breaks its rules.

    `places` are those where they were sent, if others were sent, too.
    """
    repairs = confirmed.terms.repairs or ()
    if not repairs:
        return
    faults = services.ask_loader(job, "faults", judge_repairs=True, confirmed=confirmed.as_json())
    raise_faults(
        [
            detail(
                "body",
                Fault(fault["code"], fault["reason"]),
                path=f"repairs[{(places or range(len(repairs)))[fault['place']]}]."
                + ("empty" if "empty" in repairs[fault["place"]] else "to"),
                column=repairs[fault["place"]]["column"],
                value=repairs[fault["place"]].get("to"),
            )
            for fault in faults
        ]
    )


def _fitting(records: list[MisfitValue]) -> list[MisfitValue]:
    room, shown = MAX_ANSWER_BYTES, list[MisfitValue]()
    for record in records:
        room -= len(exact_json.dumps(record.as_json())) + 1
        if room < 0:
            break
        shown.append(record)
    return shown


def lost_repairs(draft: Draft | None, analysis: AnalysisDocument | None) -> list[Repair]:
    """Return a draft's repairs of columns that the files, read anew, have no more."""
    if draft is None or analysis is None or not draft.repairs:
        return []
    columns = analysis.inferred_schema.columns
    known = {one.name for one in columns} | {one.table_column.name for one in columns if one.table_column}
    return [repair for repair in draft.repairs if repair["column"] not in known]


def warnings_of(draft: Draft | None, analysis: AnalysisDocument | None) -> list[FileWarning]:
    """Return the warning about lost repairs, where there are some."""
    lost = lost_repairs(draft, analysis)
    names = sorted({repair["column"] for repair in lost})
    finding = Finding("REPAIRS_LOST", {"names": names}, len(lost), columns=tuple(names))
    return [FileWarning.of(finding)] if lost else []


def _drafted(
    services: ApiServices, job: JobRecord, analysis: AnalysisDocument, draft: Draft
) -> ConfirmedDocument:
    """Return what a draft would load: columns as inferred, but for what it says of them as confirm does."""
    own = _own_columns(services, job)
    try:
        resolved = resolve_columns(_wanted(analysis, draft), analysis, own)
    except ApiError:  # a draft is its client's, and may say what no confirmation takes
        resolved = resolve_columns(_wanted(analysis, Draft()), analysis, own)
    terms = resolved.terms.model_copy(update={"repairs": _repairs_of(draft, resolved)})
    columns = [own.get(column.name, column) for column in resolved.columns]
    changes = {"display_name": "", "columns": columns, "terms": terms, "table_id": job.user_table_id or ""}
    return ConfirmedDocument(**{**dict(resolved), **changes})


def _repairs_of(draft: Draft, resolved: WantedSchema) -> Repairs | None:
    """Return the repairs of the columns that are loaded, under the names that these have."""
    if draft.repairs is None:
        return None
    own = {one.name: one.name for one in resolved.columns}
    names = {resolved.terms.source(name): name for name in own} | own
    named = (one for one in draft.repairs if one["column"] in names)
    return tuple(cast("Repair", {**one, "column": names[one["column"]]}) for one in named)


def _wanted(analysis: AnalysisDocument, draft: Draft) -> WantedSchema:
    stated = {one["name"]: one for one in _objects(draft.as_json().get("columns")) if "name" in one}
    sent = [_sent(one, stated.get(one.name, {})) for one in analysis.inferred_schema.columns]
    targets = {one.name: one.table_column for one in sent if "table_column" in one.model_fields_set}
    return WantedSchema(
        display_name=None,
        columns=[one.column for one in sent],
        terms=LoadTerms(choices={one.name: one.choice for one in sent}),
        targets={name: target.name if target else None for name, target in targets.items()},
    )


def _own_columns(services: ApiServices, job: JobRecord) -> dict[str, Column]:
    if job.mode == "create":
        return {}
    company = services.provisioning.require(job.company_id)
    table = services.table_reading.get(company, job.user_table_id or "")
    return {column.name: column for column in table.columns}


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    yield from (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))


def _sent(inferred: InferredColumn, stated: Mapping[str, Any]) -> ColumnToConfirm:
    shown: Object = {**inferred.as_answer(), "nullable": True}  # unless the draft says that it is not
    try:
        return _as_sent({**shown, **stated})
    except ValidationError:  # a draft is its client's: what is no column yet says nothing
        return _as_sent(shown)


def _as_sent(shown: Object) -> ColumnToConfirm:
    return built(ColumnToConfirm).model_validate(shown)
