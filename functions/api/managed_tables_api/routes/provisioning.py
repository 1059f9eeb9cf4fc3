"""Routes of provisioning: make the company's database, and say whether it is there."""

from typing import Annotated

from starlette.responses import Response

from managed_tables_api.auth.permissions import Permission
from managed_tables_api.http.answers import JsonAnswer
from managed_tables_api.http.calls import Call, requires
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.openapi.describing import document
from managed_tables_api.tables.table_models import ProvisioningAnswer, provisioning_answer

router = ApiRouter("/v1/managed-tables", ["Provisioning"])


@router.post("/provision", document("Provision the managed database", answers={200: ProvisioningAnswer}))
def provision(call: Annotated[Call, requires(Permission.CREATE)]) -> Response:
    """Make the company's database; again, return the existing connection."""
    return JsonAnswer(provisioning_answer(call.services.provisioning.provision(call.company_id)))


@router.get("/status", document("Provisioning status", answers={200: ProvisioningAnswer}))
def status(call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return whether the company has its database."""
    return JsonAnswer(provisioning_answer(call.services.provisioning.find(call.company_id)))
