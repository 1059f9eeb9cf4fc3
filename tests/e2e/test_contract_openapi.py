"""The OpenAPI document, checked against the contract's routes and with generated cases, every check on."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from client import PREFIX, Console, column, json_text
from test_contract_auth import ROUTES

SPECIFICATION = f"{PREFIX}/openapi.json"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
ROWS = 20
MANY_CASES = 100


def shape(path: str) -> str:
    """Return a path with its parameters' names removed."""
    return re.sub(r"\{\w+\}", "{}", path)


def test_the_document_has_every_route_and_permission(console: Console) -> None:
    """The OpenAPI 3.1 document has exactly the contract's operations, each with its permission."""
    document = console.ok("GET", "/openapi.json", token="")
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), shape(path)): json_text(operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert set(described) == {(route.method, shape(PREFIX + route.path)) for route in ROUTES}
    for route in ROUTES:
        operation = described[route.method, shape(PREFIX + route.path)]
        assert f"managed-tables:{route.permission}" in operation, route


@pytest.mark.flow
def test_generated_cases_break_nothing(
    served_company: Console, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """schemathesis, every check on: no 5xx, no undocumented status, no answer that breaks its schema."""
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION.read_text() + known_ids(served_company))
    command = [
        SCHEMATHESIS,
        f"--config-file={configuration}",
        "run",
        f"{served_company.base_url}{SPECIFICATION}",
        f"--header=Authorization: Bearer {served_company.token()}",
        "--checks=all",
        "--continue-on-failure",
        "--workers=1",  # CPython 3.11's parser, which Hypothesis calls, sometimes fails in threads
    ]
    document = served_company.ok("GET", "/openapi.json", token="")
    for options in _runs(pytestconfig.getoption("cases"), document):
        run = subprocess.run([*command, *options], capture_output=True, text=True, check=False, cwd=tmp_path)
        print(run.stdout[-30_000:])
        assert run.returncode == 0, f"{run.stdout[-30_000:]}\n{run.stderr[-5_000:]}"


def _runs(cases: int, document: Any) -> list[list[str]]:
    """Return each run's options; few cases are always the same, without the phases that make thousands.

    schemathesis keeps every case and answer in memory, and many cases of all operations fill it: then each
    operation has its own run, and sequences of calls have one with fewer cases.
    """
    if cases < MANY_CASES:
        return [[f"--max-examples={cases}", "--phases=examples,fuzzing", "--generation-deterministic"]]
    names = [
        f"{method.upper()} {path}" for path, operations in document["paths"].items() for method in operations
    ]
    single = ["--phases=examples,coverage,fuzzing", f"--max-examples={cases}"]
    return [
        *([f"--include-name={name}", *single] for name in names),
        ["--phases=stateful", f"--max-examples={cases // 10}"],
    ]


def known_ids(company: Console) -> str:
    """Return the configuration that makes most generated cases use existing resources."""
    tables = [
        company.create_table(f"conhecida_{number}", column("produto"), column("valor", "decimal"))["_id"]
        for number in range(ROWS)
    ]
    for table_id in tables:
        company.insert(table_id, {"produto": "X", "valor": 1}, {"produto": "Y"})
    jobs = [
        company.ok("POST", "/upload", {"files": [{"name": "a.csv", "size_bytes": 1}]})["job_id"]
        for _ in range(3)
    ]
    exports = [company.ok("POST", f"/{tables[0]}/exports", {"format": "csv"})["export_id"]]
    known = {
        "table_id": tables,
        "job_id": jobs,
        "row_id": [company.rows(tables[0])[0]["id"]],
        "export_id": exports,
    }
    return (
        "".join(f"\n[dictionaries.{name}]\nvalues = {json_text(ids)}\n" for name, ids in known.items())
        + "\n[parameters]\n"
        + "".join(f'"path.{name}" = {{ dictionary = "{name}", probability = 0.8 }}\n' for name in known)
    )
