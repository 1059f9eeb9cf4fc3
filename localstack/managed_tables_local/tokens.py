"""Sign tokens for the local stack, as a console would."""

import time

import jwt

from managed_tables_local.stack import Stack

TOKEN_SECONDS = 24 * 3_600
NOBODY = "0" * 24


def make_token(stack: Stack, company_id: str, permissions: str, user_id: str = NOBODY) -> str:
    """Sign a bearer token of a day; `permissions` are separated by commas or spaces."""
    claims = {
        "sub": user_id,
        "company_id": company_id,
        "permissions": permissions.replace(",", " ").split(),
        "iss": stack.issuer,
        "aud": stack.audience,
        "exp": int(time.time()) + TOKEN_SECONDS,
    }
    return jwt.encode(claims, stack.jwt_secret, algorithm="HS256")
