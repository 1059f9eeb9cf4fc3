"""Find out which deployment is called, and as whom: options, the environment, or what `login` has kept."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

URL_VARIABLE = "MANAGED_TABLES_URL"
TOKEN_VARIABLE = "MANAGED_TABLES_TOKEN"  # noqa: S105 - a name
_ONLY_THE_OWNER = 0o600


class NotLoggedIn(Exception):  # noqa: N818 - named for what it tells
    """Neither options, environment nor a login say which deployment is called, or as whom."""


@dataclass(frozen=True)
class Login:
    """A deployment's address, without `/v1/managed-tables`, and a bearer token."""

    url: str
    token: str


def login_file() -> Path:
    """Return where a login is kept."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "managed-tables" / "login.json"


def keep_login(login: Login) -> Path:
    """Keep the login in a file that only its owner reads, and return where."""
    path = login_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=_ONLY_THE_OWNER)
    path.chmod(_ONLY_THE_OWNER)  # also of a file that was there
    path.write_text(json.dumps(asdict(login)))
    return path


def find_login(url: str | None, token_file: Path | None) -> Login:
    """Return the login: options first, then the environment, then the stored one; raises NotLoggedIn.

    A stored token goes to the address for which it was stored, and to no other.
    """
    kept = _kept()
    found_url = (url or os.environ.get(URL_VARIABLE) or kept.get("url", "")).rstrip("/")
    token = read_token(token_file)
    if token is None and found_url == kept.get("url"):
        token = kept.get("token")
    if not found_url or not token:
        missing = f"o token para {found_url}" if found_url else "o endereço (--url)"
        raise NotLoggedIn(f"Falta {missing}. Use managed-tables login, ou {URL_VARIABLE} e {TOKEN_VARIABLE}")
    return Login(found_url, token)


def read_token(token_file: Path | None) -> str | None:
    """Return the token of the file, else of the environment."""
    if token_file is not None:
        return token_file.read_text(encoding="utf-8").strip()
    return os.environ.get(TOKEN_VARIABLE)


def _kept() -> dict[str, str]:
    try:
        return dict(json.loads(login_file().read_text()))
    except (OSError, ValueError):
        return {}
