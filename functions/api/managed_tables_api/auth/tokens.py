"""Verify a bearer token and return its caller."""

import hashlib
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt
from cachetools import LRUCache

from managed_tables.errors import FORBIDDEN, TOKEN_EXPIRED, UNAUTHENTICATED, ApiError
from managed_tables.ids import is_record_id, user_id_of
from managed_tables.settings import Settings
from managed_tables_api.auth.permissions import ALL_PERMISSIONS, Permission

MAX_VERIFIED_TOKENS = 10_000  # about 1 KB each: a process's people of some hours
MAX_TOKEN_CHARACTERS = 8_192  # API Gateway takes 10,240 bytes of headers in all


@dataclass(frozen=True)
class Caller:
    """Who calls: ids in lower case, permissions as the token lists them."""

    user_id: str
    company_id: str
    permissions: frozenset[str]

    def require(self, permission: Permission) -> None:
        """Raise FORBIDDEN unless the token grants the permission."""
        if permission not in self.permissions and ALL_PERMISSIONS not in self.permissions:
            raise ApiError(FORBIDDEN, action=permission.action)


class Keys(Protocol):
    """Where the key that checks a signature comes from: the shared secret, or a JWKS."""

    def find(self, key_id: str | None) -> Any | None:
        """Return the key of that id, None if there is none; raises KEYS_UNAVAILABLE."""


@dataclass(frozen=True)
class SharedSecret:
    """The one key of HS256, whatever key id a token names."""

    secret: str

    def __post_init__(self) -> None:
        if not self.secret:
            raise ValueError("jwt_secret is empty: anybody could sign a token with it")

    def find(self, key_id: str | None) -> str:  # noqa: ARG002 - the protocol's
        """Return the secret."""
        return self.secret


@dataclass(frozen=True)
class _Verified:
    """What a token said when it was checked, and the key that checked it."""

    caller: Caller
    expires_at: float
    key_id: str | None
    key: Any


class TokenVerifier:
    """Turns an Authorization header into a Caller, by the one algorithm that the settings name.

    A verified token is remembered by its digest until it expires, as long as its key is still published:
    withdrawing a key ends its tokens.
    """

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._algorithm = settings.jwt_algorithm
        self._issuer = settings.jwt_issuer or None
        self._audience = settings.jwt_audience or None
        self._leeway_seconds = settings.jwt_leeway_seconds
        self._keys = keys
        self._jwt = jwt.PyJWT()
        self._lock = threading.Lock()
        self._verified: LRUCache[bytes, _Verified] = LRUCache(MAX_VERIFIED_TOKENS)

    def verify(self, authorization: str) -> Caller:
        """Return the caller; raises TOKEN_EXPIRED, UNAUTHENTICATED for other defects, KEYS_UNAVAILABLE."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS:
            raise ApiError(UNAUTHENTICATED)
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._find_verified(digest)
        if known is not None:
            return known
        try:
            verified = self._verify(token)
        except jwt.ExpiredSignatureError as error:
            raise ApiError(TOKEN_EXPIRED) from error
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            # Beside its own errors PyJWT lets through what hostile JSON does: `exp` beyond every float,
            # or a header of nothing but brackets.
            raise ApiError(UNAUTHENTICATED) from error
        with self._lock:
            self._verified[digest] = verified
        return verified.caller

    def _find_verified(self, digest: bytes) -> Caller | None:
        with self._lock:
            known = self._verified.get(digest)
        if known is None:
            return None
        if known.expires_at > time.time() and self._keys.find(known.key_id) is known.key:
            return known.caller
        with self._lock:
            self._verified.pop(digest, None)
        return None

    def _verify(self, token: str) -> _Verified:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != self._algorithm:  # before any key is looked for
            raise jwt.InvalidAlgorithmError
        key = self._keys.find(header.get("kid"))
        if key is None:
            raise jwt.InvalidKeyError
        claims = self._jwt.decode(
            token,
            key,
            algorithms=[self._algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=self._leeway_seconds,
            options={"require": ["exp"], "verify_aud": self._audience is not None},
        )
        caller = _caller(claims)
        return _Verified(caller, int(claims["exp"]) + self._leeway_seconds, header.get("kid"), key)


def _caller(claims: Mapping[str, Any]) -> Caller:
    user_id, company_id = claims.get("sub"), claims.get("company_id")
    permissions = claims.get("permissions", [])
    if not isinstance(user_id, str):
        raise ValueError("sub")
    if not (isinstance(company_id, str) and is_record_id(company_id)):
        raise ValueError("company_id")
    if not (isinstance(permissions, list) and all(isinstance(name, str) for name in permissions)):
        raise ValueError("permissions")
    return Caller(user_id_of(user_id), company_id.lower(), frozenset(permissions))
