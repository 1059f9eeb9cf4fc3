"""Routes of tables, and of what each remembers of the files that fill it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from managed_tables import errors
from managed_tables.databases.connecting import PgConnection
from managed_tables.details import UNKNOWN_TIMEZONE, detail
from managed_tables.documents.recipes import Recipe
from managed_tables.documents.statements import Additions
from managed_tables.errors import ApiError
from managed_tables.exact_json import Object
from managed_tables.jobs.confirmation import find_unknown_zones
from managed_tables.jobs.ending import end_jobs_of
from managed_tables.tables.contracts import keep_identity
from managed_tables.tables.definitions import check_columns, check_table_name
from managed_tables.tables.recipes import change_recipe, find_recipe, forget_recipe, is_mode_set
from managed_tables.values import parsers
from managed_tables_api import tables as models
from managed_tables_api.auth import Caller, Permission
from managed_tables_api.calls import (
    KnownCompany,
    KnownTable,
    Services,
    SignedIn,
    api_router,
    raises,
    requires,
)
from managed_tables_api.contracts.reading import read_contract
from managed_tables_api.http.answers import Entity, list_answer
from managed_tables_api.http.requests import FromJson, FromQuery
from managed_tables_api.services import ApiServices

router = api_router("", "Tables CRUD")

_LISTS = requires(Permission.LIST)


@router.get("", summary="List tables", response_model=models.TablesAnswer, dependencies=_LISTS)
def list_tables(query: FromQuery[models.TablesQuery], caller: SignedIn, services: Services) -> Any:
    """Return a page of the company's tables, newest first."""
    company = services.provisioning.find(caller.company_id)
    if company is None:
        return {"total": 0, "quantity": 0, "records": []}
    page = services.table_reading.page(company, query.page, query.per_page, query.search)
    records = (models.TableAnswer.of(company, table, row_count) for table, row_count in page.records)
    return list_answer(page.total, records, services.settings.response_max_bytes)


@router.post("", summary="Create table (manual)", status_code=201, dependencies=requires(Permission.CREATE))
@raises(errors.NOT_PROVISIONED, errors.DUPLICATE_NAME, errors.INVALID_SCHEMA, errors.PATTERN_NOT_ALLOWED)
def create_table(
    body: models.FromSchema[models.NewTable], caller: SignedIn, services: Services
) -> models.TableAnswer:
    """Make an empty table, with columns, or by a contract."""
    check_table_name(body.display_name)
    if body.contract is not None:
        return _create_by_contract(body.display_name, body.contract, caller, services)
    check_columns(body.columns)
    company = services.provisioning.require(caller.company_id)
    table = services.table_operations.create(
        company,
        caller.user_id,
        body.display_name,
        body.columns,
        Additions(
            title=body.title,
            description=body.description,
            key=body.key,
            indexes=body.indexes,
            rules=body.rules,
        ),
    )
    return models.TableAnswer.of(company, table, 0)


def _create_by_contract(
    display_name: str, contract: Object, caller: Caller, services: ApiServices
) -> models.TableAnswer:
    read = read_contract(contract, parsers(services.settings.zone))
    check_columns(read.columns)
    company = services.provisioning.require(caller.company_id)
    additions = Additions(
        title=read.title,
        description=read.description,
        key=read.key,
        indexes=read.indexes,
        rules=read.rules,
    )
    table = services.table_operations.create(company, caller.user_id, display_name, read.columns, additions)
    with services.open_company(company) as connection:
        keep_identity(connection, table.table_id, read.identity.as_json())
    return models.TableAnswer.of(company, table, 0)


@router.get("/{table_id:table}", summary="Get table", response_model=models.TableAnswer, dependencies=_LISTS)
def get_table(table_id: str, company: KnownCompany, entity: Entity, services: Services) -> Response:
    """Return one table."""
    table = services.table_reading.get(company, table_id)
    answer = models.TableAnswer.of(company, table, services.table_reading.count(company, table))
    return entity.answer(answer, table.version)


_UPDATES = requires(Permission.UPDATE)


@router.patch("/{table_id:table}", summary="Update table", dependencies=_UPDATES, operation_id="patch_table")
@router.put("/{table_id:table}", summary="Update table", dependencies=_UPDATES)
@raises(
    errors.DUPLICATE_NAME,
    errors.TABLE_BUSY,
    errors.TABLE_VERSION_CHANGED,
    errors.DUPLICATE_KEY_ROWS,
    errors.INVALID_SCHEMA,
    errors.PATTERN_NOT_ALLOWED,
    errors.ROWS_BREAK_RULE,
    errors.REFERRED_TO,
)
def update_table(
    table_id: str,
    body: models.FromSchema[models.TableUpdate],
    seen: models.SeenVersions,
    company: KnownCompany,
    caller: SignedIn,
    services: Services,
) -> models.TableAnswer:
    """Change a table's name, columns or status, all or nothing; what is as it was changes nothing."""
    before = services.table_reading.get(company, table_id)
    if body.shows_answer:
        row_count = services.table_reading.count(company, before)
        body.require_unchanged(models.TableAnswer.of(company, before, row_count).as_json())
    table = services.table_operations.update(
        company, table_id.lower(), replace(body.as_change(seen), user_id=caller.user_id)
    )
    return models.TableAnswer.of(company, table, services.table_reading.count(company, table))


@router.delete(
    "/{table_id:table}", summary="Delete table", status_code=204, dependencies=requires(Permission.DELETE)
)
@raises(errors.TABLE_BUSY, errors.REFERRED_TO)
def delete_table(table_id: str, company: KnownCompany, services: Services) -> None:
    """Delete a table softly: it disappears from every answer, its rows stay in the database.

    Uploads into it that are not confirmed yet end with `TABLE_GONE`.
    """
    services.table_operations.delete(company, table_id.lower())
    end_jobs_of(services, company.company_id, table_id.lower())


@router.get("/{table_id:table}/recipe", summary="Get recipe", dependencies=_LISTS)
@raises(errors.RECIPE_NOT_FOUND)
def get_recipe(table: KnownTable, company: KnownCompany, services: Services) -> Recipe:
    """Return how files of this table are read, mapped and converted, as its last load left it."""
    with services.open_company(company) as connection:
        recipe = find_recipe(connection, table.table_id)
    if recipe is None:
        raise ApiError(errors.RECIPE_NOT_FOUND)
    return recipe


@router.put("/{table_id:table}/recipe", summary="Change recipe", dependencies=requires(Permission.UPDATE))
@raises(errors.RECIPE_NOT_FOUND, errors.TABLE_WITHOUT_KEY)
def update_recipe(
    body: FromJson[models.RecipeChange], table: KnownTable, company: KnownCompany, services: Services
) -> Recipe:
    """Change parts of the recipe; `columns` is the whole new list, and what is as it was changes nothing."""
    with services.open_company(company) as connection, connection.transaction():
        recipe = find_recipe(connection, table.table_id, lock=True)
        if recipe is None:
            raise ApiError(errors.RECIPE_NOT_FOUND)
        parts = body.parts_for(table, recipe)
        _refuse_unknown_zones(connection, parts)
        if body.says_mode(parts) and not is_mode_set(connection, table.table_id):
            parts["mode_set"] = True
        return change_recipe(connection, table.table_id, parts) if parts else recipe


def _refuse_unknown_zones(connection: PgConnection, parts: Mapping[str, Any]) -> None:
    """Raise INVALID_REQUEST where a changed part names a zone that the company's PostgreSQL does not know."""
    columns = enumerate(parts.get("columns", ()))
    stated = {"timezone": parts.get("timezone")}
    stated |= {f"columns[{place}].timezone": column["timezone"] for place, column in columns}
    zones = {path: zone for path, zone in stated.items() if zone}
    unknown = find_unknown_zones(connection, zones.values()) if zones else ()
    faults = [
        detail("body", UNKNOWN_TIMEZONE, path=path, value=zone)
        for path, zone in zones.items()
        if zone in unknown
    ]
    if faults:
        raise ApiError(errors.INVALID_REQUEST, faults)


@router.delete(
    "/{table_id:table}/recipe",
    summary="Forget recipe",
    status_code=204,
    dependencies=requires(Permission.UPDATE),
)
def delete_recipe(table: KnownTable, company: KnownCompany, services: Services) -> None:
    """Forget the recipe: the next load makes another."""
    with services.open_company(company) as connection, connection.transaction():
        forget_recipe(connection, table.table_id)
