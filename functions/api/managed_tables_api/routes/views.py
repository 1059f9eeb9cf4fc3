"""Routes of saved views: a person's own, and those that colleagues share."""

from typing import Annotated

from fastapi import Query

from managed_tables.errors import DUPLICATE_VIEW_NAME, OUTCOME_UNKNOWN, VIEW_OF_ANOTHER
from managed_tables_api.auth import Permission
from managed_tables_api.calls import Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.bodies import from_json
from managed_tables_api.rows.views.view_contents import (
    NewView,
    ViewAnswer,
    ViewChange,
    ViewsAnswer,
    ViewsQuery,
)

router = api_router("/{table_id}/views", "Views")

_READS = requires(Permission.DATA_READ)


@router.get("", summary="List views", dependencies=_READS)
def list_views(
    table_id: str, query: Annotated[ViewsQuery, Query()], caller: SignedIn, services: Services
) -> ViewsAnswer:
    """Return the caller's own views of the table and those that are shared, by name."""
    return services.saved_views.list_page(caller.company_id, table_id, caller, query.page, query.per_page)


@router.post("", summary="Save a view", status_code=201, dependencies=_READS)
@raises(DUPLICATE_VIEW_NAME, OUTCOME_UNKNOWN)
def create_view(
    table_id: str,
    body: Annotated[NewView, from_json(NewView, holds_values=True)],
    caller: SignedIn,
    services: Services,
) -> ViewAnswer:
    """Save a view as the caller's own; a name is taken once for each owner."""
    return services.saved_views.create(caller.company_id, table_id, caller, body)


@router.get("/{view_id}", summary="Get a view", dependencies=_READS)
def get_view(table_id: str, view_id: str, caller: SignedIn, services: Services) -> ViewAnswer:
    """Return a view under the names that columns have now.

    What was asked of a column that is gone, or that no longer fits its type, is left out; `warnings` say so.
    """
    return services.saved_views.get(caller.company_id, table_id, caller, view_id)


@router.put("/{view_id}", summary="Change a view", dependencies=_READS)
@raises(VIEW_OF_ANOTHER, DUPLICATE_VIEW_NAME, OUTCOME_UNKNOWN)
def update_view(
    table_id: str,
    view_id: str,
    body: Annotated[ViewChange, from_json(ViewChange, holds_values=True)],
    caller: SignedIn,
    services: Services,
) -> ViewAnswer:
    """Change a view of the caller's own; what is missing stays, null takes away."""
    return services.saved_views.update(caller.company_id, table_id, caller, view_id, body)


@router.delete("/{view_id}", summary="Delete a view", status_code=204, dependencies=_READS)
@raises(VIEW_OF_ANOTHER, OUTCOME_UNKNOWN)
def delete_view(table_id: str, view_id: str, caller: SignedIn, services: Services) -> None:
    """Delete a view of the caller's own."""
    services.saved_views.delete(caller.company_id, table_id, caller, view_id)
