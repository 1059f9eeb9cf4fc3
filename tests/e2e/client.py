"""A console's calls over HTTP: one company, one user, bodies as exact text; what every end-to-end test uses.

It knows the contract only: nothing here imports the code under test.
"""

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self, TypeVar

import boto3
import httpx
import jwt

T = TypeVar("T")

PREFIX = "/v1/managed-tables"
ALL_PERMISSIONS = ("managed-tables:*",)
TOKEN_SECONDS = 3_600
JOB_LIMIT_SECONDS = 90.0  # a cold start of two functions on a loaded machine of two cores is under 20 s
POLL_SECONDS = 0.2
TERMINAL = ("done", "failed")


def new_id() -> str:
    """Return 24 random hex digits: a company or a user not used before."""
    return secrets.token_hex(12)


def json_text(value: object) -> str:
    """Write JSON with `Decimal` written digit for digit, which `json.dumps` cannot do."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(key)}:{json_text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(json_text(one) for one in value) + "]"
    return json.dumps(value)


def until(look: Callable[[], T | None], limit_seconds: float) -> T:
    """Poll until something is found and return it; fail after the limit."""
    deadline = time.monotonic() + limit_seconds
    while (found := look()) is None:
        assert time.monotonic() < deadline, f"nothing after {limit_seconds} s"
        time.sleep(POLL_SECONDS)
    return found


def column(name: str, type_: str = "text", *, nullable: bool = True, **more: object) -> dict[str, Any]:
    """Return one item of `columns`, its label made from its name."""
    return {"name": name, "display_name": name.title(), "type": type_, "nullable": nullable, **more}


def plain(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return columns with the contract's four fields only: inferred ones may have more."""
    return [{name: one[name] for name in ("name", "display_name", "type", "nullable")} for one in columns]


@dataclass(frozen=True)
class Stack:
    """What `.local/stack.json` says about a running stack; fields not listed here are ignored."""

    api_url: str
    serve_url: str
    jwt_secret: str
    issuer: str
    audience: str
    postgres_admin_dsn: str = ""

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read the file that `make up` writes."""
        facts = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: facts[name] for name in cls.__dataclass_fields__ if name in facts})

    def token(self, *, secret: str | None = None, algorithm: str = "HS256", **claims: object) -> str:
        """Sign a bearer token with these claims and an expiry; claims given as None are left out."""
        payload: dict[str, object] = {"exp": int(time.time()) + TOKEN_SECONDS}
        payload |= {"iss": self.issuer} if self.issuer else {}
        payload |= {"aud": self.audience} if self.audience else {}
        kept = {name: value for name, value in (payload | claims).items() if value is not None}
        return jwt.encode(kept, self.jwt_secret if secret is None else secret, algorithm=algorithm)


@dataclass(frozen=True)
class Answer:
    """An answer: its status, headers and exact text."""

    status: int
    headers: httpx.Headers
    text: str

    @property
    def json(self) -> Any:
        """The body, with fractions as `Decimal`; NaN and Infinity are not JSON."""
        return json.loads(self.text, parse_float=Decimal, parse_constant=_refuse_constant)

    @property
    def error(self) -> str:
        """The message in an error's body."""
        return str(self.json["error"])

    @property
    def code(self) -> str:
        """The stable code in an error's body."""
        return str(self.json["code"])

    @property
    def details(self) -> list[dict[str, Any]]:
        """The details in an error's body; empty if it has none."""
        return list(self.json.get("details", []))


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class Console:
    """A user of one company who calls the API at `base_url` (the part before `/v1/managed-tables`)."""

    stack: Stack
    base_url: str
    http: httpx.Client
    company_id: str = field(default_factory=new_id)
    user_id: str = field(default_factory=new_id)
    permissions: tuple[str, ...] = ALL_PERMISSIONS

    def other_company(self) -> Self:
        """Return a user of a new company, on the same API."""
        return replace(self, company_id=new_id(), user_id=new_id(), permissions=ALL_PERMISSIONS)

    def with_permissions(self, *permissions: str) -> Self:
        """Return a colleague: same company, these permissions."""
        return replace(self, user_id=new_id(), permissions=permissions)

    def token(self, **claims: object) -> str:
        """Sign this user's token."""
        own = {"sub": self.user_id, "company_id": self.company_id, "permissions": list(self.permissions)}
        return self.stack.token(**(own | claims))

    # --- calls ---------------------------------------------------------------------------------------
    def call(
        self,
        method: str,
        path: str = "",
        body: object = None,
        *,
        text: str | bytes | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Answer:
        """Send one request to `/v1/managed-tables` + path; `body` as JSON, `text` unchanged.

        `token` replaces this user's; if empty, no Authorization header is sent.
        """
        bearer = self.token() if token is None else token
        sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        if body is not None:
            text = json_text(body)
        if text is not None:
            arguments["content"] = text
            sent["Content-Type"] = "application/json"
        response = self.http.request(
            method, f"{self.base_url}{PREFIX}{path}", headers={**sent, **(headers or {})}, **arguments
        )
        answer = Answer(response.status_code, response.headers, response.text)
        if answer.status >= 400 and method != "HEAD":
            assert_error_shape(answer)
        return answer

    def ok(self, method: str, path: str = "", body: object = None, **arguments: Any) -> Any:
        """Send a request that must succeed; return its JSON body (None for 204)."""
        answer = self.call(method, path, body, **arguments)
        assert answer.status < 300, f"{method} {path}: {answer.status} {answer.text}"
        return None if answer.status == 204 else answer.json

    # --- what a console does -------------------------------------------------------------------------
    def provision(self) -> str:
        """Provision the company's database; return the connection's id."""
        return str(self.ok("POST", "/provision")["connection_id"])

    def create_table(self, display_name: str = "vendas", *columns: Mapping[str, Any]) -> dict[str, Any]:
        """Create a table (by default one nullable text column `produto`); return it."""
        body = {"display_name": display_name, "columns": list(columns) or [column("produto")]}
        created: dict[str, Any] = self.ok("POST", "", body)
        return created

    def table(self, table_id: str) -> dict[str, Any]:
        """Get one table."""
        got: dict[str, Any] = self.ok("GET", f"/{table_id}")
        return got

    def insert(self, table_id: str, *rows: Mapping[str, Any]) -> int:
        """Insert rows; return how many the API says it inserted."""
        return int(self.ok("POST", f"/{table_id}/data", {"rows": list(rows)})["inserted"])

    def rows(self, table_id: str, **params: Any) -> list[dict[str, Any]]:
        """List one page of rows (by default the first 1,000)."""
        page = self.ok("GET", f"/{table_id}/data", params={"per_page": 1_000, **params})
        records: list[dict[str, Any]] = page["records"]
        return records

    # --- uploads -------------------------------------------------------------------------------------
    def upload(
        self, files: Mapping[str, str | bytes], table_id: str | None = None, mode: str | None = None
    ) -> str:
        """Send files by multipart, as a browser's form does; return the job's id."""
        path = "/upload" if table_id is None else f"/{table_id}/upload"
        form = {} if mode is None else {"mode": mode}
        parts = [("files", (name, _as_bytes(content))) for name, content in files.items()]
        return str(self.ok("POST", path, files=parts, data=form)["job_id"])

    def upload_presigned(
        self, files: Mapping[str, str | bytes], table_id: str | None = None, mode: str | None = None
    ) -> str:
        """Declare files, then post each to S3 with the fields from the API; return the job's id."""
        path = "/upload" if table_id is None else f"/{table_id}/upload"
        sizes = [{"name": name, "size_bytes": len(_as_bytes(content))} for name, content in files.items()]
        declared = {"files": sizes} | ({} if mode is None else {"mode": mode})
        answer = self.ok("POST", path, declared)
        for upload in answer["uploads"]:
            self.post_to_s3(upload, _as_bytes(files[upload["name"]])).raise_for_status()
        return str(answer["job_id"])

    def post_to_s3(self, upload: Mapping[str, Any], content: bytes) -> httpx.Response:
        """Post one file as a presigned POST requires: its fields first, the file last."""
        return self.http.post(upload["url"], data=upload["fields"], files={"file": (upload["name"], content)})

    def job(self, job_id: str) -> dict[str, Any]:
        """Get one job."""
        got: dict[str, Any] = self.ok("GET", f"/upload-jobs/{job_id}")
        return got

    def wait(self, job_id: str, *statuses: str, limit_seconds: float = JOB_LIMIT_SECONDS) -> dict[str, Any]:
        """Poll a job until it has one of the statuses; fail if it ends in another or takes too long."""
        deadline = time.monotonic() + limit_seconds
        while True:
            job = self.job(job_id)
            if job["status"] in statuses:
                return job
            assert job["status"] not in TERMINAL, f"job ended as {job['status']}: {job['error']}"
            assert time.monotonic() < deadline, f"after {limit_seconds} s the job is {job['status']}"
            time.sleep(POLL_SECONDS)

    def analyzed(
        self, files: Mapping[str, str | bytes], table_id: str | None = None, mode: str | None = None
    ) -> dict[str, Any]:
        """Upload files and return the job once it waits for confirmation."""
        return self.wait(self.upload(files, table_id, mode), "waiting_confirm")

    def confirm(
        self, job: Mapping[str, Any], display_name: str | None = None, columns: Sequence[Any] | None = None
    ) -> Answer:
        """Confirm a job; anything not given is as inferred."""
        schema = job["inferred_schema"]
        body = {
            "display_name": display_name or schema["suggested_table_name"],
            "columns": schema["columns"] if columns is None else list(columns),
        }
        return self.call("POST", f"/upload-jobs/{job['_id']}/confirm", body)

    def loaded(
        self,
        files: Mapping[str, str | bytes],
        table_id: str | None = None,
        mode: str | None = None,
        *,
        columns: Sequence[Any] | None = None,
    ) -> dict[str, Any]:
        """Upload files, confirm (by default what was inferred) and return the job once it is done."""
        job = self.analyzed(files, table_id, mode)
        answer = self.confirm(job, columns=columns)
        assert answer.status == 200, answer.text
        return self.wait(job["_id"], "done")


def _as_bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def assert_error_shape(answer: Answer) -> None:
    """Check an error: `error`, `code`, perhaps `details` and their total; 500 has `request_id`, 412 `row`."""
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    body = answer.json
    assert set(body) <= {"error", "code", "details", "details_total", "request_id", "row"}, answer.text
    assert isinstance(body["error"], str), answer.text
    assert body["error"].strip(), answer.text
    assert isinstance(body["code"], str), answer.text
    assert body["code"].replace("_", "").isalnum(), answer.text
    assert body["code"].isupper(), answer.text
    assert all(isinstance(detail, dict) for detail in body.get("details", [])), answer.text


def open_storage(facts: Mapping[str, str]) -> Any:
    """Return an S3 client with the stack administrator's rights; `facts` come from its file."""
    return boto3.client(
        "s3",
        endpoint_url=facts["aws_endpoint_url"],
        region_name=facts["region"],
        aws_access_key_id=facts["access_key_id"],
        aws_secret_access_key=facts["secret_access_key"],
    )
