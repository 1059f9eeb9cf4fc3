"""Fetch the public keys of a JWKS URL: cached, rotated keys picked up, the URL never hammered."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress

import jwt

from managed_tables.errors import KEYS_UNAVAILABLE, ApiError

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
        if key is None and not self._last_fetch_succeeded():
            raise ApiError(KEYS_UNAVAILABLE)
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
                return  # told by _last_fetch_succeeded; the keys known so far stay
            self._fetched_at = self._tried_at

    def _last_fetch_succeeded(self) -> bool:
        return self._fetched_at is not None and self._fetched_at == self._tried_at

    def _is_younger(self, moment: float | None, seconds: float) -> bool:
        return moment is not None and self._clock() - moment < seconds


def _usable_keys(document: bytes, algorithm: str) -> dict[str | None, jwt.PyJWK]:
    """Return by id the keys that may check the algorithm's signatures; raises ValueError if it is no JWKS."""
    parsed = json.loads(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a JWKS")
    key_type = {"RS256": "RSA", "ES256": "EC"}[algorithm]
    usable: dict[str | None, jwt.PyJWK] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("kty") != key_type or entry.get("use", "sig") != "sig":
            continue
        if entry.get("alg", algorithm) != algorithm:
            continue
        with suppress(jwt.PyJWTError, ValueError, TypeError):  # one odd key does not disable the others
            key = jwt.PyJWK(entry, algorithm)
            usable[key.key_id] = key
    return usable
