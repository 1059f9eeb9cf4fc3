"""Routes of what a table remembers: its recipe is shown, changed and forgotten."""

from typing import Annotated

from managed_tables.documents.recipes import Recipe
from managed_tables.errors import (
    RECIPE_NOT_FOUND,
    TABLE_WITHOUT_KEY,
    ApiError,
)
from managed_tables.tables.recipes import change_recipe, find_recipe, forget_recipe
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.calls.gate import Services, requires
from managed_tables_api.calls.known import KnownCompany, KnownTable
from managed_tables_api.calls.routing import api_router, raises
from managed_tables_api.http.bodies import from_json
from managed_tables_api.tables.recipe_models import RecipeChange

router = api_router("/{table_id}/recipe", "Tables CRUD")


@router.get("", summary="Get recipe", response_model=Recipe, dependencies=requires(Permission.LIST))
@raises(RECIPE_NOT_FOUND)
def get_recipe(table: KnownTable, company: KnownCompany, services: Services) -> Recipe:
    """Return how files of this table are read, mapped and converted, as its last load left it."""
    with services.open_company(company) as connection:
        recipe = find_recipe(connection, table.table_id)
    if recipe is None:
        raise ApiError(RECIPE_NOT_FOUND)
    return recipe


@router.put("", summary="Change recipe", response_model=Recipe, dependencies=requires(Permission.UPDATE))
@raises(RECIPE_NOT_FOUND, TABLE_WITHOUT_KEY)
def update_recipe(
    body: Annotated[RecipeChange, from_json(RecipeChange)],
    table: KnownTable,
    company: KnownCompany,
    services: Services,
) -> Recipe:
    """Change parts of the recipe; `columns` is the whole new list."""
    parts = body.parts_for(table)
    with services.open_company(company) as connection, connection.transaction():
        return change_recipe(connection, table.table_id, parts)


@router.delete("", summary="Forget recipe", status_code=204, dependencies=requires(Permission.UPDATE))
def delete_recipe(table: KnownTable, company: KnownCompany, services: Services) -> None:
    """Forget the recipe: the next load makes another."""
    with services.open_company(company) as connection, connection.transaction():
        forget_recipe(connection, table.table_id)
