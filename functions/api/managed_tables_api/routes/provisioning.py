"""Routes of provisioning: make the company's database, and say whether it is there."""

from managed_tables_api.auth.permissions import Permission
from managed_tables_api.calls.gate import Services, SignedIn, requires
from managed_tables_api.calls.routing import api_router
from managed_tables_api.tables.table_models import ProvisioningAnswer

router = api_router("", "Provisioning")


@router.post("/provision", summary="Provision the managed database", dependencies=requires(Permission.CREATE))
def provision(caller: SignedIn, services: Services) -> ProvisioningAnswer:
    """Make the company's database; again, return the existing connection."""
    return ProvisioningAnswer.of(services.provisioning.provision(caller.company_id))


@router.get("/status", summary="Provisioning status", dependencies=requires(Permission.LIST))
def status(caller: SignedIn, services: Services) -> ProvisioningAnswer:
    """Return whether the company has its database."""
    return ProvisioningAnswer.of(services.provisioning.find(caller.company_id))
