"""Bind a write to the plan that its caller has seen: a signed token, good for ten minutes and one use."""

import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.keys import plan_key
from managed_tables.errors import PLAN_NOT_CONFIRMED, ApiError
from managed_tables_api.auth.tokens import Caller
from managed_tables_api.services import ApiServices

LIFE_SECONDS = 600


class Plans:
    """The plans of one caller."""

    def __init__(self, services: ApiServices, caller: Caller) -> None:
        self._services, self._caller = services, caller

    def offer(self, bound: Any) -> str:
        """Return a token for what the plan is bound to: tool, arguments, versions, rows."""
        name = f"{int(time.time()) + LIFE_SECONDS}.{secrets.token_hex(12)}"
        return f"{name}.{self._sign(name, bound)}"

    def take(self, token: str, bound: Any) -> None:
        """Use the token up; raises PLAN_NOT_CONFIRMED where it is spent, late, or of another plan."""
        name, _, signature = token.rpartition(".")
        until = name.partition(".")[0]
        is_ours = hmac.compare_digest(self._sign(name, bound).encode(), signature.encode())
        if not is_ours or int(until) < time.time():
            raise ApiError(PLAN_NOT_CONFIRMED)
        key = plan_key(self._caller.company_id, name)
        try:
            self._services.items.put({**key, "ttl": int(until)}, "attribute_not_exists(pk)")
        except ConditionFailed as error:
            raise ApiError(PLAN_NOT_CONFIRMED) from error

    def _sign(self, name: str, bound: Any) -> str:
        caller = [self._caller.company_id, self._caller.user_id]
        text = json.dumps([name, caller, bound], sort_keys=True, default=str)
        secret = f"plans:{self._services.app_secret.database_master_secret}"
        return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
