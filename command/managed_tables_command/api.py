"""Call the public API of a deployment: JSON in and out, and every refusal as one exception.

Which deployment, and as whom, say options, the environment, or what `login` has kept.
"""

import json
import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Self

import h11
import httpx

from managed_tables import API_PREFIX
from managed_tables.details import Detail
from managed_tables.wording import why_not_opened

URL_VARIABLE = "MANAGED_TABLES_URL"
TOKEN_VARIABLE = "MANAGED_TABLES_TOKEN"  # noqa: S105 - a name
_ONLY_THE_OWNER = 0o600
Json = dict[str, Any]  # a table, a job, an export, … as docs/openapi.json has it

TIMEOUT_SECONDS = 60.0  # a database that sleeps wakes in 15
POLL_SECONDS = 0.5
RETRIED_STATUSES = frozenset({429, 503})
_PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)  # between the attempts of a read
CHUNK_BYTES = 262_144
_PAGE = 100  # tables of a list's page, at most


class Refused(Exception):  # noqa: N818 - named for what it tells
    """Something was not done: a Portuguese sentence, and what the API's details name."""

    def __init__(self, message: str, details: Sequence[Detail] = ()) -> None:
        self.details = details
        super().__init__(message)


FAILURES = (Refused, OSError, httpx.HTTPError, httpx.InvalidURL)


def sentence_of(failure: Exception) -> str:
    """Return what a person, or an agent, is told of one of FAILURES."""
    if isinstance(failure, OSError):
        return f"Não foi possível abrir {failure.filename or 'o arquivo'} ({why_not_opened(failure)})"
    is_away = isinstance(failure, (httpx.HTTPError, httpx.InvalidURL))
    return f"O endereço não responde: {failure}" if is_away else str(failure)


@dataclass(frozen=True)
class Login:
    """A deployment's address, without `/v1/managed-tables`, and a bearer token; raises Refused."""

    url: str
    token: str

    def __post_init__(self) -> None:
        if not re.fullmatch("[!-~]+", self.token):  # what httpx says of such a header shows the token
            raise Refused("O token não é válido: um token não tem espaços nem acentos")


def _login_file() -> Path:
    """Return where a login is kept."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "managed-tables" / "login.json"


def keep_login(login: Login) -> Path:
    """Keep the login in a file that only its owner reads, and return where."""
    path = _login_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=_ONLY_THE_OWNER)
    path.chmod(_ONLY_THE_OWNER)  # also of a file that was there
    path.write_text(json.dumps(asdict(login)))
    return path


def find_login(url: str | None, token_file: Path | None) -> Login:
    """Return the login: options first, then the environment, then the stored one; raises Refused.

    A stored token goes to the address for which it was stored, and to no other.
    """
    kept = _kept()
    found_url = find_url(url) or kept.get("url", "")
    token = read_token(token_file)
    if token is None and found_url == kept.get("url"):
        token = kept.get("token")
    if not found_url or not token:
        missing = f"o token para {found_url}" if found_url else "o endereço (--url)"
        raise Refused(f"Falta {missing}. Use managed-tables login, ou {URL_VARIABLE} e {TOKEN_VARIABLE}")
    return Login(found_url, token)


def find_url(url: str | None) -> str:
    """Return the address of the option, else of the environment, without the API's own path."""
    return (url or os.environ.get(URL_VARIABLE) or "").rstrip("/").removesuffix(API_PREFIX)


def read_token(token_file: Path | None) -> str | None:
    """Return the token of the file, else of the environment."""
    if token_file is not None:
        return token_file.read_text(encoding="utf-8").strip()
    return os.environ.get(TOKEN_VARIABLE, "").strip() or None


def _kept() -> dict[str, str]:
    try:
        return dict(json.loads(_login_file().read_text()))
    except (OSError, ValueError):
        return {}


class Api:
    """The API of one deployment, as one user."""

    def __init__(self, login: Login, client: httpx.Client | None = None) -> None:
        self._login = login
        self._client = client or httpx.Client(timeout=TIMEOUT_SECONDS)
        self._passing: tuple[type[httpx.TransportError], ...] = ()  # faults after which a read is repeated

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Send one request and return whatever is answered; `sent` is httpx's."""
        headers = {"Authorization": f"Bearer {self._login.token}", **sent.pop("headers", {})}
        url = f"{self._login.url}{API_PREFIX}{path}"
        answer = self._client.request(method, url, headers=headers, **sent)
        self._passing = (httpx.TransportError,)
        return answer

    def call(self, method: str, path: str, body: object = None, **query: str) -> Any:
        """Return the answer's JSON; raises Refused, and httpx.HTTPError where nobody answers.

        The query goes into `query` alone: one in the path would be lost. Reads are repeated where the answer
        says to come again, and where the connection breaks to a place that has answered: a load that is
        followed goes on, and a script that took the break for its failure would load the file twice.
        """
        for pause in _PAUSES_SECONDS if method == "GET" else ():
            with suppress(*self._passing):
                response = self.send(method, path, json=body, params=query)
                if response.status_code not in RETRIED_STATUSES:
                    return _content(response)
                pause = float(response.headers.get("retry-after", pause))
            time.sleep(pause)
        return _content(self.send(method, path, json=body, params=query))

    def tables(self, search: str = "") -> Iterator[Json]:
        """Yield the company's tables, those whose name contains a text."""
        total, number = 1, 0
        while number * _PAGE < total:
            number += 1
            page = self.call("GET", "", page=str(number), per_page=str(_PAGE), search=search)
            yield from page["records"]
            total = page["total"]

    def poll(
        self,
        path: str,
        ended: Sequence[str],
        seen: Callable[[Json], None] = lambda _: None,
        limit_seconds: float = math.inf,
        **query: str,
    ) -> Json:
        """Ask until the answer, which `seen` is shown, has one of these statuses; raises Refused if late."""
        deadline = time.monotonic() + limit_seconds
        while True:
            state: Json = self.call("GET", path, **query)
            seen(state)
            if state["status"] in ended:
                return state
            if time.monotonic() > deadline:
                raise Refused(f"{path}: {state['status']} depois de {limit_seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def post_file(self, upload: Json, file: IO[bytes]) -> None:
        """Send a file with the form that the API gave for it."""
        sent = {"file": (upload["name"], file)}
        try:
            response = self._client.post(upload["url"], data=upload["fields"], files=sent, timeout=None)
        except h11.LocalProtocolError as error:  # httpx lets it through
            raise Refused(f"{upload['name']} mudou durante o envio. Envie-o de novo, completo") from error
        if response.is_error:
            raise Refused(f"O envio de {upload['name']} foi recusado (HTTP {response.status_code})")

    def download(self, url: str, target: Path | None, received: Callable[[int], None]) -> None:
        """Download the URL to the file, which appears once it is complete, to a pipe or standard output.

        A link is written through: `/dev/stdout` is one, perhaps to a file.
        """
        is_file = target is not None and not target.is_symlink() and (target.is_file() or not target.exists())
        part = target.with_name(f"{target.name}.part") if target and is_file else target
        opened = part.open("wb") if part else nullcontext(sys.stdout.buffer)
        with opened as file, self._client.stream("GET", url) as response:
            response.raise_for_status()
            for chunk in response.iter_bytes(CHUNK_BYTES):
                file.write(chunk)
                received(len(chunk))
            file.flush()
        if part and target and is_file:
            part.replace(target)


def _content(response: httpx.Response) -> Any:
    if response.status_code == httpx.codes.NO_CONTENT:
        return None
    try:
        content = response.json()
    except ValueError as error:
        raise Refused(f"O endereço não respondeu como a API (HTTP {response.status_code})") from error
    if response.is_error:
        said = content if isinstance(content, dict) else {}
        raise Refused(said.get("error") or f"HTTP {response.status_code}", said.get("details", ()))
    return content
