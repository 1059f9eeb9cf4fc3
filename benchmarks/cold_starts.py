"""Measure cold starts: each built handler in a fresh process, beside what it is built on.

The artefacts are built as `sam build` does, for this interpreter, and imported with nothing beside them but
the layer, boto3 included. References and handlers take turns, so that whatever else the
machine does falls on both. Processor time is what is compared: imports wait for nothing.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 15
_SMALL_ROUNDS = 5
_API_BOUND = 1.6  # of the bare one, like for like; ours has tokens, models, 20 routes and logs on top
_FUNCTIONS = ("api", "ingest", "analyze", "insert", "export")
_ENVIRONMENT = {
    "TABLE_NAME": "t",
    "BUCKET_NAME": "b",
    "APP_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:app",
    "JWT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:token",
    "POSTGRES_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:postgres",
    "STATE_MACHINE_ARN": "arn:aws:states:us-east-1:123456789012:stateMachine:job",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "POWERTOOLS_SERVICE_NAME": "managed-tables",
}

_MEASURE = """
import os, sys, time
sys.path[:0] = sys.argv[2:]
wall, processor = time.perf_counter(), time.process_time()
exec(sys.argv[1])
print(time.perf_counter() - wall, time.process_time() - processor)
"""
_BARE_API = """
from fastapi import FastAPI
from mangum import Mangum
import psycopg
app = FastAPI()
@app.get("/v1/managed-tables/status")
def status(): return {}
handler = Mangum(app, lifespan="off")
"""
_OUR_API = """
from managed_tables.settings import load_settings
from managed_tables_api.handler import ApiHandler
from managed_tables_api.services import ApiServices
services = ApiServices(load_settings())
handler = ApiHandler(services)
"""
_REQUEST = """
headers = {"Host": "localhost"}
handler({
    "resource": "/{proxy+}", "path": "/v1/managed-tables/status", "httpMethod": "GET", "body": None,
    "headers": headers, "multiValueHeaders": {"Host": ["localhost"]}, "isBase64Encoded": False,
    "queryStringParameters": None, "multiValueQueryStringParameters": None,
    "requestContext": {"requestId": "1", "stage": "dev", "identity": {"sourceIp": "127.0.0.1"}},
}, None)
"""
_CLIENTS = ("dynamodb", "s3", "secretsmanager", "stepfunctions")  # that the API uses
_BOTO3 = "\nimport boto3\n" + "\n".join(f"boto3.client({name!r})" for name in _CLIENTS)
_OUR_CLIENTS = "\n" + "\n".join(f"services.{name}" for name in _CLIENTS)


@dataclass(frozen=True)
class Case:
    """One start of a function: what it runs, and what the reference of the same artefact runs."""

    name: str
    function: str
    ours: str
    reference: str
    beside: str
    bound: float | None = None


_WORKER = "import duckdb, psycopg"
_LOGGER = "import pydantic, aws_lambda_powertools.logging"
CASES = (
    Case("api: import", "api", "import managed_tables_api.handler", _BARE_API, "bare API, psycopg"),
    Case("api: a first request, refused", "api", _OUR_API + _REQUEST, _BARE_API + _REQUEST, "the same, bare"),
    Case(
        "api: with its clients",
        "api",
        _OUR_API + _OUR_CLIENTS,
        _BARE_API + _BOTO3,
        "bare API, psycopg, 4 clients of boto3",
        _API_BOUND,
    ),
    Case(
        "ingest: import",
        "ingest",
        "import managed_tables_ingest.handler",
        _LOGGER,
        "pydantic, Powertools' logger",
    ),
    Case("analyze: import", "analyze", "import managed_tables_analyze.handler", _WORKER, "DuckDB, psycopg"),
    Case("insert: import", "insert", "import managed_tables_insert.handler", _WORKER, "DuckDB, psycopg"),
    Case("export: import", "export", "import managed_tables_export.handler", _WORKER, "DuckDB, openpyxl"),
)


@dataclass(frozen=True)
class Start:
    """What one process took, in seconds."""

    wall: float
    processor: float


def run(small: bool) -> None:
    """Build the artefacts, measure every case, print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _build(folder)
        found = measure(folder, CASES, _SMALL_ROUNDS if small else _ROUNDS)
    print(f"{'cold start':32}{'ms':>8}{'cpu ms':>8}{'reference':>12}{'ratio':>8}  beside")
    for case, ours, reference, ratio in found:
        bound = f" (at most {case.bound})" if case.bound else ""
        print(
            f"{case.name:32}{_ms(ours, 'wall'):8.0f}{_ms(ours, 'processor'):8.0f}"
            f"{_ms(reference, 'processor'):12.0f}{ratio:8.2f}  {case.beside}{bound}",
            flush=True,
        )


def measure(
    folder: Path, cases: Sequence[Case], rounds: int
) -> list[tuple[Case, list[Start], list[Start], float]]:
    """Return of each case its starts, the reference's, and the median of the rounds' ratios."""
    taken: dict[str, tuple[list[Start], list[Start]]] = {case.name: ([], []) for case in cases}
    for number in range(rounds + 1):
        for case in cases:
            pair = (_start(folder, case.function, case.ours), _start(folder, case.function, case.reference))
            if number:  # the first round only fills the machine's cache of files
                for starts, start in zip(taken[case.name], pair, strict=True):
                    starts.append(start)
    return [(case, *taken[case.name], _ratio(*taken[case.name])) for case in cases]


def _ratio(ours: list[Start], reference: list[Start]) -> float:
    return statistics.median(
        own.processor / other.processor for own, other in zip(ours, reference, strict=True)
    )


def _ms(starts: list[Start], field: str) -> float:
    return 1_000 * statistics.median(getattr(start, field) for start in starts)


def _start(folder: Path, function: str, code: str) -> Start:
    paths = (folder / function, folder / "common" / "python")
    command = [sys.executable, "-I", "-S", "-c", _MEASURE, code, *map(str, paths)]
    done = subprocess.run(command, env=_ENVIRONMENT, capture_output=True, text=True, check=True)
    wall, processor = done.stdout.splitlines()[-1].split()
    return Start(float(wall), float(processor))


def _build(folder: Path) -> None:
    for name in ("common", *_FUNCTIONS):
        command = [sys.executable, _ROOT / "functions" / "artefact.py", name, folder / name]
        subprocess.run(command, check=True, env={**os.environ, "ARTEFACT_PYTHON": sys.executable})
