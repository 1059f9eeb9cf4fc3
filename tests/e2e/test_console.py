"""The console in a real browser, against the deployed stack: the page as the template would serve it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from client import Console, Stack, column

from managed_tables_local import page
from managed_tables_local.page import run_checks

ROWS = 1_000_000
HOST = "http://host.test"  # a site that may show the page in a frame; exists only in the browser


@pytest.fixture
def served(stack_file: Path, tmp_path: Path) -> Iterator[str]:
    """The page's address, served by a separate process in front of the stack under test."""
    facts = json.loads(stack_file.read_text())
    page.install_all()  # what its parts' test needs, and not a part of it first
    url = page.start(tmp_path, facts["api_url"], facts["aws_endpoint_url"], hosts=[HOST], preferred_port=0)
    try:
        yield url
    finally:
        page.server(tmp_path).process.stop()


@pytest.fixture
def million(stack: Stack, http: httpx.Client, query: Callable[..., list[tuple[Any, ...]]]) -> str:
    """A company with a table of a million rows, filled in SQL because an import would take a minute."""
    company = Console(stack, stack.api_url, http)
    company.provision()
    table = company.create_table("milhao", column("numero", "integer"), column("texto"))
    query(
        company,
        "WITH made AS (INSERT INTO milhao (id, numero, texto)"
        " SELECT lpad(to_hex(n), 32, '0')::uuid, n, 'linha ' || n FROM generate_series(1, %s) AS n),"
        " counted AS (INSERT INTO managed_tables.row_counts VALUES (%s, 0, %s) RETURNING row_count)"
        " SELECT row_count FROM counted",
        ROWS,
        table["_id"],
        ROWS,
    )
    return f"{company.company_id}/{table['_id']}"


def test_the_console_in_a_browser(stack_file: Path, served: str, million: str, tmp_path: Path) -> None:
    """Every check in console/browser passes."""
    facts = json.loads(stack_file.read_text())
    settings = {"CONSOLE_MILLION": million, "CONSOLE_HOST": HOST}
    print(run_checks(facts, served, tmp_path / "results", settings=settings))


def test_the_parts_of_the_console() -> None:
    """Numbers, dates, scrolling and the address, without a browser."""
    page.check_parts()
