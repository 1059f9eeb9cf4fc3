"""Bind a write to what its caller has seen of it: a signed token, good for ten minutes and one use."""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.keys import PLAN, item_key
from managed_tables.errors import PLAN_NOT_CONFIRMED, ApiError
from managed_tables_api.auth import Caller
from managed_tables_api.services import ApiServices

LIFE_SECONDS = 600


@dataclass(frozen=True)
class Plans:
    """The plans of one caller."""

    services: ApiServices
    caller: Caller

    def offer(self, bound: Any) -> str:
        """Return a token for what a plan is bound to: what is asked, versions, rows."""
        name = f"{int(time.time()) + LIFE_SECONDS}.{secrets.token_hex(12)}"
        return f"{name}.{self._sign(name, bound)}"

    def take(self, token: str, bound: Any) -> None:
        """Use the token up; raises PLAN_NOT_CONFIRMED where it is spent, late, or of another plan."""
        name, _, signature = token.rpartition(".")
        until = name.partition(".")[0]
        is_ours = hmac.compare_digest(self._sign(name, bound).encode(), signature.encode())
        if not is_ours or int(until) < time.time():
            raise ApiError(PLAN_NOT_CONFIRMED)
        key = item_key(self.caller.company_id, PLAN, name)
        try:
            self.services.items.put({**key, "ttl": int(until)}, "attribute_not_exists(pk)")
        except ConditionFailed as error:
            raise ApiError(PLAN_NOT_CONFIRMED) from error

    def _sign(self, name: str, bound: Any) -> str:
        caller = [self.caller.company_id, self.caller.user_id]
        text = json.dumps([name, caller, bound], sort_keys=True, default=str)
        secret = f"plans:{self.services.app_secret.database_master_secret}"
        return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
