"""Routes of a company's database: it is made, and shown to other products that only read it."""

from typing import Any
from urllib.parse import quote

from pydantic import Field
from starlette.responses import Response

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.documents.document import Document
from managed_tables.errors import NOT_PROVISIONED, ApiError
from managed_tables_api.auth import Permission
from managed_tables_api.calls import Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.answers import JsonAnswer
from managed_tables_api.services import ApiServices
from managed_tables_api.tables import ProvisioningAnswer

provisioning_router = api_router("", "Provisioning")
router = api_router("/connection", "Reading by other products", requires(Permission.CONNECT))


@provisioning_router.post(
    "/provision", summary="Provision the managed database", dependencies=requires(Permission.CREATE)
)
def provision(caller: SignedIn, services: Services) -> ProvisioningAnswer:
    """Make the company's database; again, return the existing connection."""
    return ProvisioningAnswer.of(services.provisioning.provision(caller.company_id))


@provisioning_router.get("/status", summary="Provisioning status", dependencies=requires(Permission.LIST))
def status(caller: SignedIn, services: Services) -> ProvisioningAnswer:
    """Return whether the company has its database."""
    return ProvisioningAnswer.of(services.provisioning.find(caller.company_id))


class ConnectionAnswer(Document):
    """How another product connects to the company's database: a role that only reads."""

    host: str
    port: int = Field(ge=1, le=65_535)
    database: str
    user: str
    password: str
    sslmode: str = Field(description="Como em libpq: `disable` a `verify-full`")
    url: str = Field(description="O mesmo em uma só linha, como psql e a maioria dos clientes aceitam")


@router.get("", summary="Read-only connection", response_model=ConnectionAnswer)
@raises(NOT_PROVISIONED)
def get_connection(caller: SignedIn, services: Services) -> Any:
    """Show how to connect; neither wakes the database nor makes it."""
    connection = services.connections.find(caller.company_id)
    if connection is None or connection.state != "ready":
        raise ApiError(NOT_PROVISIONED)
    return _answer(services, connection)


@router.post("/rotate", summary="Rotate the read-only password", response_model=ConnectionAnswer)
@raises(NOT_PROVISIONED)
def rotate(caller: SignedIn, services: Services) -> Any:
    """Give the read-only role a new password; the old one ends, and so does every session that used it."""
    return _answer(services, services.provisioning.rotate_reader(caller.company_id))


def _answer(services: ApiServices, connection: ConnectionRecord) -> Response:
    address = services.databases.address(connection.cluster)
    roles = services.databases.roles_of(connection)
    password = roles.password(roles.reader)
    host = f"[{address.host}]" if ":" in address.host else address.host
    login = f"{quote(roles.reader, safe='')}:{quote(password, safe='')}"
    content = ConnectionAnswer(
        host=address.host,
        port=address.port,
        database=roles.database,
        user=roles.reader,
        password=password,
        sslmode=address.sslmode,
        url=f"postgresql://{login}@{host}:{address.port}/{roles.database}?sslmode={address.sslmode}",
    )
    return JsonAnswer(content, headers={"Cache-Control": "no-store"})
