"""Routes of a table's contract, of the Open Data Contract Standard: out, and in by a confirmed plan."""

from typing import Annotated

from fastapi import Query
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from managed_tables import errors
from managed_tables.catalog.tables import TableRecord
from managed_tables.databases.connecting import PgConnection
from managed_tables.documents.document import Document
from managed_tables.exact_json import Object
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column
from managed_tables.tables.contracts import find_identity, keep_identity
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables.values import parsers
from managed_tables_api.auth import Permission
from managed_tables_api.calls import (
    KnownCompany,
    KnownTable,
    Services,
    SignedIn,
    api_router,
    raises,
    requires,
)
from managed_tables_api.contracts.reading import ReadContract, Unmapped, read_contract
from managed_tables_api.contracts.writing import Identity, write_contract, write_yaml
from managed_tables_api.http.answers import JsonAnswer
from managed_tables_api.http.requests import YAML, json_or_yaml_object_of
from managed_tables_api.plans import Plans
from managed_tables_api.tables import ANSWERED_COLUMNS, ANSWERED_RULES, ANY_PART, TableAnswer

router = api_router("/{table_id:table}/contract", "Contract")


class ContractSchema(Document):
    """A table of a contract."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": ANY_PART})

    name: str


class ContractBody(Document):
    """A document of the Open Data Contract Standard, v3."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"additionalProperties": ANY_PART})

    apiVersion: str  # noqa: N815 - the standard's name
    kind: str
    schema_: list[ContractSchema] = Field(alias="schema", max_length=1_000)


class ContractPlan(Document):
    """What a contract makes of the table."""

    columns: Annotated[list[Column], *ANSWERED_COLUMNS]
    rules: Annotated[list[Rule], *ANSWERED_RULES]
    unmapped: list[Unmapped] = Field(description="O que uma tabela não tem onde guardar")


class ContractPlanAnswer(Document):
    """A plan, and the token that carries it out."""

    plan: ContractPlan
    confirm: str


@router.get("", summary="Get contract", response_model=ContractBody, dependencies=requires(Permission.LIST))
def get_contract(table: KnownTable, company: KnownCompany, services: Services, request: Request) -> Response:
    """Return the table as an open data contract (ODCS v3.1.0), as JSON, or YAML by `Accept`."""
    with services.open_company(company) as connection:
        identity = _identity(connection, table)
    document = write_contract(identity, table, table.columns)
    if YAML in request.headers.get("accept", ""):
        return Response(write_yaml(document), media_type=YAML)
    return JsonAnswer(document)


@router.put("", summary="Apply a contract", dependencies=requires(Permission.UPDATE))
@raises(
    errors.INVALID_SCHEMA,
    errors.PATTERN_NOT_ALLOWED,
    errors.ROWS_BREAK_RULE,
    errors.REFERRED_TO,
    errors.DUPLICATE_KEY_ROWS,
    errors.PLAN_NOT_CONFIRMED,
    errors.TABLE_VERSION_CHANGED,
    errors.TABLE_BUSY,
)
def put_contract(
    table: KnownTable,
    body: Annotated[Object, json_or_yaml_object_of(ContractBody)],
    company: KnownCompany,
    caller: SignedIn,
    services: Services,
    confirm: Annotated[str | None, Query(description="O token do plano: só com ele algo muda")] = None,
) -> ContractPlanAnswer | TableAnswer:
    """Plan what the contract makes of the table, then do it once the plan's token is sent along.

    The body may be YAML as well, by `Content-Type: application/yaml`.
    """
    read = read_contract(body, parsers(services.settings.zone))
    rules = list(services.table_operations.judged_rules(company, read.columns, read.rules))
    plans, bound = Plans(services, caller), ["contract", table.table_id, table.version, body]
    if confirm is None:
        plan = ContractPlan(columns=read.columns, rules=rules, unmapped=read.unmapped)
        return ContractPlanAnswer(plan=plan, confirm=plans.offer(bound))
    plans.take(confirm, bound)
    changed = services.table_operations.update(
        company, table.table_id, _change(table, read, rules, caller.user_id)
    )
    with services.open_company(company) as connection, connection.transaction():
        keep_identity(connection, table.table_id, read.identity.as_json())
    return TableAnswer.of(company, changed, services.table_reading.count(company, changed))


def _identity(connection: PgConnection, table: TableRecord) -> Identity:
    """Return what the contract that the table was made by is called, else what the table is."""
    stored = find_identity(connection, table.table_id)
    if stored is not None:
        return Identity.read(stored)
    return Identity(id=table.table_id, name=table.display_name, schema_name=table.display_name)


def _change(table: TableRecord, read: ReadContract, rules: list[Rule], user_id: str) -> TableChange:
    return TableChange(
        columns=[ColumnChange(**column.model_dump()) for column in read.columns],
        title=read.title,
        description=read.description,
        key=read.key,
        indexes=read.indexes,
        rules=rules,
        user_id=user_id,
        versions=frozenset({table.version}),
    )
