"""Make and change companies' databases: `{"action", "company_id"}` in, a connection or an error's code out.

Only the other functions invoke it; none of them can read an administrator's secret.
"""

from functools import cache

from aws_lambda_powertools.utilities.typing import LambdaContext

from managed_tables.databases.provisioning import MakingAnswer, MakingRequest, answered
from managed_tables.observability import get_logger, log_keys
from managed_tables.services import load_services

SERVICE = "provision"


_services = cache(load_services)  # once a process


def handler(event: MakingRequest, context: LambdaContext) -> MakingAnswer:
    """Answer one call; what no error is declared for is raised, and logged by Lambda with its trace."""
    logger = get_logger(SERVICE)
    company_id, request_id = event["company_id"], getattr(context, "aws_request_id", None)
    with log_keys(logger, company_id=company_id, request_id=request_id):
        made = _services().provisioning  # whose actions can each be repeated
        acts = {
            "make": made.provision,
            "bring_up_to_date": made.require,
            "rotate_reader": made.rotate_reader,
            "end_move": made.end_move,
        }
        answer = answered(lambda: acts[event["action"]](company_id))
        logger.info("provision ended", action=event["action"], outcome=answer.get("code", "done"))
        return answer
