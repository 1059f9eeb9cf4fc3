"""Have databases made by the one function that may read their administrators' secrets.

What travels is `{"action", "company_id"}` there, `{"connection"}` or `{"code"}` (a declared error's) back.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from managed_tables import errors
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import TooManyConnections
from managed_tables.errors import ApiError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Action = Literal["make", "bring_up_to_date", "rotate_reader"]


class MakingRequest(TypedDict):
    """What the function is called with."""

    action: Action
    company_id: str


class MakingAnswer(TypedDict, total=False):
    """What it answers: the connection's record, or the code of a declared error; the others are Lambda's."""

    connection: dict[str, str | int]
    code: str
    errorType: str
    errorMessage: str


_STOPPED = "Task timed out"  # in Lambda's words for a function that ran out of time


class MakingFault(Exception):  # noqa: N818 - as SweepFault
    """The function that makes databases has failed for no declared reason; its log has the trace."""


@dataclass(frozen=True)
class RemoteMaker:
    """The function that makes databases, as the others call it."""

    client: "Callable[[], LambdaClient]"
    function: str

    def make(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection, its database made if it is not complete."""
        return self._ask("make", company_id)

    def bring_up_to_date(self, connection: ConnectionRecord) -> None:
        """Bring a database of an earlier release to what this one makes."""
        self._ask("bring_up_to_date", connection.company_id)

    def rotate_reader(self, connection: ConnectionRecord) -> ConnectionRecord:
        """Give the read-only role another password; return the record that says so."""
        return self._ask("rotate_reader", connection.company_id)

    def _ask(self, action: Action, company_id: str) -> ConnectionRecord:
        answer = self._invoke({"action": action, "company_id": company_id})
        code = answer.get("code")
        if code == errors.CONNECTIONS_TAKEN.code:
            raise TooManyConnections
        for kind in vars(errors).values():  # but those whose sentence has more to say than a code
            if isinstance(kind, errors.ApiErrorKind) and kind.code == code and "{" not in kind.sentence:
                raise ApiError(kind)
        if "connection" not in answer:
            raise MakingFault(answer.get("errorType") or code)
        return _read(answer["connection"])

    def _invoke(self, event: MakingRequest) -> MakingAnswer:
        """Return what the function answers; raises DATABASE_UNAVAILABLE where it did not in time."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self.client().invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        except BotoCoreError as error:
            raise ApiError(errors.DATABASE_UNAVAILABLE) from error
        except ClientError as error:
            if error.response["Error"]["Code"] in {"AccessDeniedException", "ResourceNotFoundException"}:
                raise
            raise ApiError(errors.DATABASE_UNAVAILABLE) from error
        found: MakingAnswer = json.loads(answer["Payload"].read())
        if _STOPPED in str(found.get("errorMessage")):
            raise ApiError(errors.DATABASE_UNAVAILABLE)
        return found


def _read(answer: Mapping[str, Any]) -> ConnectionRecord:
    """Return the connection; while an upgrade goes on, a newer release may tell more of it."""
    known = {field.name for field in fields(ConnectionRecord)}
    return ConnectionRecord(**{name: value for name, value in answer.items() if name in known})


def answered(ask: Callable[[], ConnectionRecord]) -> MakingAnswer:
    """Return what the function answers, a declared error's code in place of the connection."""
    try:
        return {"connection": asdict(ask())}
    except ApiError as error:
        return {"code": error.kind.code}
