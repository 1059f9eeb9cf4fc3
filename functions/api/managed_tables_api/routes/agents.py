"""The route of agents, by the Model Context Protocol (docs/agents.md)."""

from starlette.requests import Request
from starlette.responses import Response

from managed_tables_api.calls import Services, SignedIn, api_router, check_parameters
from managed_tables_api.http.requests import receive_body, received

router = api_router("", "Agents")


@router.post("/mcp", include_in_schema=False)
async def serve_agent(request: Request, caller: SignedIn, services: Services) -> Response:
    """Answer a message of the protocol; each tool needs the permissions of the routes that it calls."""
    from managed_tables_api.agents.tools import AgentAnswer  # late: the SDK takes as long as all the rest

    check_parameters(request)  # the routes called within would heed `numbers`
    with services.slots.request(caller.company_id):
        await receive_body(request)
    return AgentAnswer(request, received(request), caller)
