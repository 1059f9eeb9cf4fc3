"""Routes of provisioning: make the company's database, and say whether it is there."""

from typing import Any

from managed_tables_api.auth.permissions import Permission
from managed_tables_api.calls.gate import Services, SignedIn, requires
from managed_tables_api.calls.routing import api_router
from managed_tables_api.tables.table_models import ProvisioningAnswer, provisioning_answer

router = api_router("", "Provisioning")


@router.post(
    "/provision",
    summary="Provision the managed database",
    response_model=ProvisioningAnswer,
    dependencies=requires(Permission.CREATE),
)
def provision(caller: SignedIn, services: Services) -> Any:
    """Make the company's database; again, return the existing connection."""
    return provisioning_answer(services.provisioning.provision(caller.company_id))


@router.get(
    "/status",
    summary="Provisioning status",
    response_model=ProvisioningAnswer,
    dependencies=requires(Permission.LIST),
)
def status(caller: SignedIn, services: Services) -> Any:
    """Return whether the company has its database."""
    return provisioning_answer(services.provisioning.find(caller.company_id))
