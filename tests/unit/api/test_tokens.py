"""Authentication: an invalid token is 401, a missing permission is 403."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from api_probe import COMPANY_ID, SECRET, USER_ID, make_token
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from managed_tables.errors import KEYS_UNAVAILABLE, TOKEN_EXPIRED, UNAUTHENTICATED, ApiError
from managed_tables.settings import Settings
from managed_tables_api import auth
from managed_tables_api.auth import (
    FRESH_SECONDS,
    REFRESH_INTERVAL_SECONDS,
    STALE_SECONDS,
    JwksKeys,
    TokenVerifier,
    shared_secret,
)

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def verifier(keys: Any = None, **settings: Any) -> TokenVerifier:
    """Return a verifier with the shared secret or the given keys."""
    made = Settings(table_name="t", bucket_name="b", **settings)
    return TokenVerifier(made, keys.find if keys else shared_secret(SECRET))


def refused(token: str, **options: Any) -> bool:
    """Return whether the token is refused with 401."""
    with pytest.raises(ApiError) as caught:
        verifier(**options).verify(f"Bearer {token}")
    return caught.value.kind in (UNAUTHENTICATED, TOKEN_EXPIRED)


def encode_part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None},
        {"exp": 1},
        {"exp": "x"},
        {"exp": float("inf")},
        {"exp": []},
        {"exp": "1e400"},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"sub": "x"},
        {"sub": 5},
        {"sub": USER_ID + "\n"},
        {"company_id": None},
        {"company_id": "5f00000000000000000000zz"},
        {"company_id": ["5f0000000000000000000001"]},
        {"permissions": "managed-tables:list"},
        {"permissions": [1]},
    ],
)
def test_a_claim_that_is_missing_or_wrong_is_401(claims: dict[str, Any]) -> None:
    base = {"sub": USER_ID, "company_id": COMPANY_ID, "permissions": [], "exp": int(time.time()) + 600}
    content = {k: v for k, v in {**base, **claims}.items() if v is not None}
    unsigned = f"{encode_part({'alg': 'HS256', 'typ': 'JWT'})}.{encode_part(content)}"
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(
        unsigned.encode(), SECRET.encode()
    )
    assert refused(f"{unsigned}.{encode_part(signature)}")


def test_an_expired_token_says_so() -> None:
    """Whoever signs in again goes on; a token that was never valid says nothing of the kind."""
    check, expired = verifier(), make_token(exp=int(time.time()) - 1)
    header, _, signature = expired.rpartition(".")
    for token, kind in ((expired, TOKEN_EXPIRED), (f"{header}.{signature[::-1]}", UNAUTHENTICATED)):
        with pytest.raises(ApiError) as caught:
            check.verify(f"Bearer {token}")
        assert caught.value.kind is kind
        assert kind.status == 401


def test_the_leeway_tolerates_clock_skew() -> None:
    assert verifier().verify(f"Bearer {make_token(nbf=int(time.time()) + 10)}")
    assert refused(make_token(nbf=int(time.time()) + 60))


def test_issuer_and_audience_are_checked_if_configured() -> None:
    token = make_token(iss="console", aud="tables")
    assert verifier(jwt_issuer="console", jwt_audience="tables").verify(f"Bearer {token}")
    assert verifier().verify(f"Bearer {token}")
    assert refused(token, jwt_issuer="other")
    assert refused(token, jwt_audience="other")
    assert refused(make_token(), jwt_issuer="console")
    assert refused(make_token(), jwt_audience="tables")


def test_an_algorithm_other_than_the_configured_one_is_401() -> None:
    assert refused(make_token(algorithm="HS512", key=SECRET * 2))
    assert refused(make_token(algorithm="none", key=None))
    assert refused(make_token(algorithm="RS256", key=RSA_KEY))
    assert refused(make_token(), keys=jwks(RSA_KEY), jwt_algorithm="RS256")


def test_a_signature_with_another_secret_is_401() -> None:
    assert refused(make_token(key="another secret that has 32 bytes or more"))
    assert refused(make_token()[:-2])


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        shared_secret("")


def test_an_oversized_token_is_401() -> None:
    assert refused(make_token(padding="x" * 9_000))


@pytest.mark.parametrize(
    "header", [b"[" * 5_000, b'{"a":' * 1_000, b"1" * 5_000, b"\xff", b"null", b'"HS256"']
)
def test_a_hostile_header_is_401(header: bytes) -> None:
    assert refused(f"{encode_part(header)}.{encode_part({})}.x")


@given(st.text(max_size=200))
def test_any_text_as_authorization_header_is_401(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        verifier().verify(text)
    assert caught.value.kind is UNAUTHENTICATED


class Source:
    """A fake JWKS endpoint: its keys can rotate, it can fail, and it counts fetches."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.document: bytes | None = json.dumps({"keys": keys}).encode()
        self.fetches = 0
        self.now = 1_000.0

    def fetch(self, _url: str) -> bytes:
        self.fetches += 1
        if self.document is None:
            raise OSError("unreachable")
        return self.document

    def rotate(self, *keys: dict[str, Any]) -> None:
        self.document = json.dumps({"keys": keys}).encode()

    def keys(self, algorithm: str = "RS256") -> JwksKeys:
        return JwksKeys("https://keys.example", algorithm, self.fetch, lambda: self.now)


def public(key: Any, key_id: str | None = "k1", **members: Any) -> dict[str, Any]:
    """Return the key's entry in a JWKS."""
    algorithm = (
        jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    )
    entry = {**algorithm.to_jwk(key.public_key(), as_dict=True), "use": "sig", "kid": key_id, **members}
    return {name: value for name, value in entry.items() if value is not None}


def jwks(key: Any, algorithm: str = "RS256") -> JwksKeys:
    return Source(public(key)).keys(algorithm)


def signed(key: Any = RSA_KEY, key_id: str | None = "k1", algorithm: str = "RS256") -> str:
    return "Bearer " + make_token(key=key, algorithm=algorithm, headers={"kid": key_id} if key_id else None)


def test_rs256_and_es256_are_verified_with_the_key_of_their_id() -> None:
    assert verifier(jwks(RSA_KEY), jwt_algorithm="RS256").verify(signed())
    es256 = verifier(jwks(EC_KEY, "ES256"), jwt_algorithm="ES256")
    assert es256.verify(signed(EC_KEY, algorithm="ES256"))


def test_a_token_without_a_key_id_is_verified_only_if_there_is_one_key() -> None:
    assert verifier(jwks(RSA_KEY), jwt_algorithm="RS256").verify(signed(key_id=None))
    two = Source(public(RSA_KEY), public(OTHER_RSA_KEY, "k2"))
    assert refused(signed(key_id=None)[7:], keys=two.keys(), jwt_algorithm="RS256")


def test_an_hs256_token_is_401_where_keys_are_public() -> None:
    """Algorithm confusion: the token names HS256, the server expects RS256."""
    assert refused(make_token(headers={"kid": "k1"}), keys=jwks(RSA_KEY), jwt_algorithm="RS256")


def test_keys_of_another_type_or_use_are_ignored() -> None:
    unusable = [public(EC_KEY), public(RSA_KEY, use="enc"), public(RSA_KEY, alg="RS512"), {"kty": "RSA"}, 5]
    assert refused(signed()[7:], keys=Source(*unusable).keys(), jwt_algorithm="RS256")  # type: ignore[arg-type]


def test_known_keys_are_not_fetched_again() -> None:
    source = Source(public(RSA_KEY))
    check = verifier(source.keys(), jwt_algorithm="RS256")
    for _ in range(5):
        check.verify(signed())
    assert source.fetches == 1


def test_a_rotated_key_is_picked_up() -> None:
    source = Source(public(RSA_KEY))
    check = verifier(source.keys(), jwt_algorithm="RS256")
    check.verify(signed())
    source.rotate(public(OTHER_RSA_KEY, "k2"))
    source.now += REFRESH_INTERVAL_SECONDS
    assert check.verify(signed(OTHER_RSA_KEY, "k2"))


def test_a_withdrawn_key_is_refused_once_the_cache_expires() -> None:
    source = Source(public(RSA_KEY))
    check = verifier(source.keys(), jwt_algorithm="RS256")
    check.verify(signed())
    source.rotate(public(OTHER_RSA_KEY, "k2"))
    source.now += FRESH_SECONDS
    with pytest.raises(ApiError) as caught:
        check.verify(signed())
    assert caught.value.kind is UNAUTHENTICATED


def test_unknown_key_ids_do_not_hammer_the_source() -> None:
    source = Source(public(RSA_KEY))
    keys = source.keys()
    for number in range(100):
        assert keys.find(f"made up {number}") is None
    assert source.fetches == 1


def test_an_unreachable_source_is_503_and_is_not_hammered() -> None:
    source = Source()
    source.document = None
    check = verifier(source.keys(), jwt_algorithm="RS256")
    for _ in range(5):
        with pytest.raises(ApiError) as caught:
            check.verify(signed())
        assert caught.value.kind is KEYS_UNAVAILABLE
    assert source.fetches == 1


def test_an_invalid_jwks_counts_as_unreachable() -> None:
    for document in (b"<html>", b"[]", b'{"keys": 5}', b"[" * 100_000, b"\xff"):
        source = Source()
        source.document = document
        with pytest.raises(ApiError) as caught:
            source.keys().find("k1")
        assert caught.value.kind is KEYS_UNAVAILABLE


def test_cached_keys_are_used_for_a_while_if_the_source_is_down() -> None:
    source = Source(public(RSA_KEY))
    check = verifier(source.keys(), jwt_algorithm="RS256")
    check.verify(signed())
    source.document = None
    source.now += FRESH_SECONDS
    assert check.verify(signed())
    source.now += STALE_SECONDS
    with pytest.raises(ApiError) as caught:
        check.verify(signed())
    assert caught.value.kind is KEYS_UNAVAILABLE


class KeyRing:
    """A key that a test can replace, and the number of lookups."""

    def __init__(self, key: Any) -> None:
        self.key, self.lookups = key, 0

    def find(self, _key_id: str | None) -> Any:
        self.lookups += 1
        return self.key


def test_a_verified_token_is_cached_until_its_key_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = KeyRing(SECRET)
    checker = verifier(ring)
    checked: list[Any] = []
    real = jwt.PyJWT.decode

    def decode(*given: Any, **more: Any) -> Any:
        checked.append(given)
        return real(*given, **more)

    monkeypatch.setattr(jwt.PyJWT, "decode", decode)
    token = make_token("managed-tables:list")
    callers = {checker.verify(f"Bearer {token}") for _ in range(3)}
    assert (len(callers), len(checked), ring.lookups) == (1, 1, 3)
    for key in (None, "another secret, as long as it must be for HS256"):
        ring.key = key
        with pytest.raises(ApiError):
            checker.verify(f"Bearer {token}")


def test_a_cached_token_is_refused_once_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    checker, expires_at = verifier(), int(time.time()) + 60
    token = make_token(exp=expires_at)
    checker.verify(f"Bearer {token}")
    monkeypatch.setattr(time, "time", lambda: expires_at)
    with pytest.raises(ApiError):
        checker.verify(f"Bearer {token}")


def test_the_cache_of_verified_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "MAX_VERIFIED_TOKENS", 2)
    checker = verifier()
    for number in range(5):
        checker.verify(f"Bearer {make_token(jti=str(number))}")
    assert len(checker._verified) == 2
