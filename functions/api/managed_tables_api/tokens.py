"""Owns the bearer token: what it must hold, and who its caller is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from managed_tables.errors import FORBIDDEN, UNAUTHENTICATED, ApiError
from managed_tables.ids import is_record_id
from managed_tables.settings import Settings
from managed_tables_api.permissions import ALL_PERMISSIONS, Permission

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
            raise ApiError(FORBIDDEN, permission=permission.value)


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


class TokenVerifier:
    """Turns an Authorization header into a Caller, by the one algorithm that the settings name."""

    def __init__(self, settings: Settings, keys: Keys) -> None:
        self._algorithm = settings.jwt_algorithm
        self._issuer = settings.jwt_issuer or None
        self._audience = settings.jwt_audience or None
        self._leeway_seconds = settings.jwt_leeway_seconds
        self._keys = keys
        self._jwt = jwt.PyJWT()

    def verify(self, authorization: str) -> Caller:
        """Return who calls; raises UNAUTHENTICATED for every defect of the token, and KEYS_UNAVAILABLE."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS:
            raise ApiError(UNAUTHENTICATED)
        try:
            return _caller(self._claims(token))
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            # Beside its own errors PyJWT lets through what hostile JSON does: `exp` beyond every float,
            # or a header of nothing but brackets.
            raise ApiError(UNAUTHENTICATED) from error

    def _claims(self, token: str) -> Mapping[str, Any]:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != self._algorithm:  # before any key is looked for
            raise jwt.InvalidAlgorithmError
        key = self._keys.find(header.get("kid"))
        if key is None:
            raise jwt.InvalidKeyError
        claims: Mapping[str, Any] = self._jwt.decode(
            token,
            key,
            algorithms=[self._algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=self._leeway_seconds,
            options={"require": ["exp"], "verify_aud": self._audience is not None},
        )
        return claims


def _caller(claims: Mapping[str, Any]) -> Caller:
    user_id, company_id = claims.get("sub"), claims.get("company_id")
    permissions = claims.get("permissions", [])
    if not (isinstance(user_id, str) and is_record_id(user_id)):
        raise ValueError("sub")
    if not (isinstance(company_id, str) and is_record_id(company_id)):
        raise ValueError("company_id")
    if not (isinstance(permissions, list) and all(isinstance(one, str) for one in permissions)):
        raise ValueError("permissions")
    return Caller(user_id.lower(), company_id.lower(), frozenset(permissions))
