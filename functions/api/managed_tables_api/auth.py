"""Authenticate callers: verify a bearer token by the shared secret or the keys of a JWKS URL; permissions."""

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import jwt
from cachetools import LRUCache

from managed_tables import errors
from managed_tables.errors import ApiError
from managed_tables.ids import is_record_id, user_id_of
from managed_tables.settings import Settings

ALL_PERMISSIONS = "managed-tables:*"


class Permission(StrEnum):
    """One permission of the contract or its extensions; `ALL_PERMISSIONS` grants every one."""

    action: str  # what it allows, as people say it

    LIST = "managed-tables:list", "ver as tabelas e os envios"
    CREATE = "managed-tables:create", "criar tabelas"
    UPDATE = "managed-tables:update", "alterar tabelas"
    DELETE = "managed-tables:delete", "excluir tabelas e desfazer envios"
    UPLOAD = "managed-tables:upload", "enviar arquivos"
    DATA_READ = "managed-tables:data-read", "ver os dados"
    DATA_WRITE = "managed-tables:data-write", "alterar os dados"
    CONNECT = "managed-tables:connect", "ligar outros programas ao banco de dados"

    def __new__(cls, value: str, action: str) -> "Permission":
        """Make a member of its text in a token and its action."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.action = action
        return member


MAX_VERIFIED_TOKENS = 10_000  # about 1 KB each: a process's people of some hours
LEEWAY_SECONDS = 30  # for a clock that is ahead of ours: a token that is not valid yet is
MAX_TOKEN_CHARACTERS = 8_192  # API Gateway takes 10,240 bytes of headers in all


@dataclass(frozen=True)
class Caller:
    """Who calls: ids in lower case, permissions as the token lists them."""

    user_id: str
    company_id: str
    permissions: frozenset[str]

    def has(self, permission: Permission) -> bool:
        """Return whether the token grants the permission."""
        return not self.permissions.isdisjoint((permission, ALL_PERMISSIONS))

    def require(self, permission: Permission) -> None:
        """Raise FORBIDDEN unless the token grants the permission."""
        if not self.has(permission):
            raise ApiError(errors.FORBIDDEN, action=permission.action)


FindKey = Callable[[str | None], Any | None]  # of that id, None if there is none; raises KEYS_UNAVAILABLE


def shared_secret(secret: str) -> FindKey:
    """Return what finds the one key of HS256, whatever key id a token names."""
    if not secret:
        raise ValueError("jwt_secret is empty: anybody could sign a token with it")
    return lambda _key_id: secret


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

    def __init__(self, settings: Settings, find_key: FindKey) -> None:
        self._algorithm = settings.jwt_algorithm
        self._issuer = settings.jwt_issuer or None
        self._audience = settings.jwt_audience or None
        self._find_key = find_key
        self._jwt = jwt.PyJWT()
        self._lock = threading.Lock()
        self._verified: LRUCache[bytes, _Verified] = LRUCache(MAX_VERIFIED_TOKENS)

    def verify(self, authorization: str) -> Caller:
        """Return the caller; raises TOKEN_EXPIRED, UNAUTHENTICATED for other defects, KEYS_UNAVAILABLE."""
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > MAX_TOKEN_CHARACTERS:
            raise ApiError(errors.UNAUTHENTICATED)
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._verified.get(digest)
        if known is None or known.expires_at <= time.time() or self._find_key(known.key_id) is not known.key:
            known = self._verify(token)
            with self._lock:
                self._verified[digest] = known
        return known.caller

    def _verify(self, token: str) -> _Verified:
        try:
            return self._read(token)
        except jwt.ExpiredSignatureError as error:
            raise ApiError(errors.TOKEN_EXPIRED) from error
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            # Beside its own errors PyJWT lets through what hostile JSON does: `exp` beyond every float,
            # or a header of nothing but brackets.
            raise ApiError(errors.UNAUTHENTICATED) from error

    def _read(self, token: str) -> _Verified:
        header = jwt.get_unverified_header(token)
        if header.get("alg") != self._algorithm:  # before any key is looked for
            raise jwt.InvalidAlgorithmError
        key = self._find_key(header.get("kid"))
        if key is None:
            raise jwt.InvalidKeyError
        claims = self._jwt.decode(
            token,
            key,
            algorithms=[self._algorithm],
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp"], "verify_aud": self._audience is not None},
        )
        expires_at = int(claims["exp"])
        if expires_at <= time.time():  # no leeway here: an expired token is 401
            raise jwt.ExpiredSignatureError
        return _Verified(_caller(claims), expires_at, header.get("kid"), key)


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


FRESH_SECONDS = 300  # a key withdrawn at the source is honoured for at most as long
REFRESH_INTERVAL_SECONDS = 10  # between two fetches, however many unknown key ids are presented
STALE_SECONDS = 24 * 3_600  # known keys go on being used while the source cannot be reached
FETCH_TIMEOUT_SECONDS = 3
MAX_DOCUMENT_BYTES = 1_048_576
MAX_KEY_ID_CHARACTERS = 256


def fetch_document(url: str) -> bytes:
    """Return the body of an HTTP(S) URL; raises OSError."""
    if not url.lower().startswith(("https://", "http://")):
        raise OSError(f"not an HTTP URL: {url}")
    with urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310 - checked above
        body: bytes = response.read(MAX_DOCUMENT_BYTES)
        return body


class JwksKeys:
    """The keys of one JWKS that fit one algorithm."""

    def __init__(
        self,
        url: str,
        algorithm: str,
        fetch: Callable[[str], bytes] = fetch_document,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._algorithm = algorithm
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = threading.Lock()

    def find(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return the key of that id, or the only key for a token without an id.

        Raises KEYS_UNAVAILABLE if the URL cannot be read and the known keys do not include it.
        """
        if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= MAX_KEY_ID_CHARACTERS):
            return None
        key = self._lookup(key_id)
        if key is None or not self._is_younger(self._fetched_at, FRESH_SECONDS):
            self._refresh()
            key = self._lookup(key_id)
        if key is None and self._fetched_at != self._tried_at:  # the last fetch has failed
            raise ApiError(errors.KEYS_UNAVAILABLE)
        return key

    def _lookup(self, key_id: str | None) -> jwt.PyJWK | None:
        if not self._is_younger(self._fetched_at, STALE_SECONDS):
            return None
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(key_id)

    def _refresh(self) -> None:
        with self._lock:  # one thread fetches, the others wait for what it finds
            if self._is_younger(self._tried_at, REFRESH_INTERVAL_SECONDS):
                return
            self._tried_at = self._clock()
            try:
                self._keys = _usable_keys(self._fetch(self._url), self._algorithm)
            except (OSError, ValueError, RecursionError):
                return  # the keys known so far stay, and when they were fetched
            self._fetched_at = self._tried_at

    def _is_younger(self, moment: float | None, seconds: float) -> bool:
        return moment is not None and self._clock() - moment < seconds


def _usable_keys(document: bytes, algorithm: str) -> dict[str | None, jwt.PyJWK]:
    """Return by id the keys that may check the algorithm's signatures; raises ValueError if it is no JWKS."""
    parsed = json.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS")
    wanted = ({"RS256": "RSA", "ES256": "EC"}[algorithm], "sig", algorithm)
    usable: dict[str | None, jwt.PyJWK] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        if (entry.get("kty"), entry.get("use", "sig"), entry.get("alg", algorithm)) != wanted:
            continue
        with suppress(jwt.PyJWTError, ValueError, TypeError):  # one odd key does not disable the others
            key = jwt.PyJWK(entry, algorithm)
            usable[key.key_id] = key
    return usable
