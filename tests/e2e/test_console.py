"""The console in a real browser, against the deployed stack: the page as the template would serve it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from managed_tables_local.console_page import page, page_build
from managed_tables_local.console_page.browser import CHECKS, run_checks

CHECKED = sorted(
    path.name.removesuffix(".spec.ts") for path in CHECKS.glob("*.spec.ts") if "pictures" not in path.name
)


@pytest.fixture(scope="module")
def served(stack_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder of the page's process, and the page's address; it stands in front of the stack under test."""
    facts = json.loads(stack_file.read_text())
    folder = tmp_path_factory.mktemp("page")
    url = page.start(folder, facts["api_url"], facts["aws_endpoint_url"], preferred_port=0)
    try:
        yield folder, url
    finally:
        page.process(folder).stop()


@pytest.mark.parametrize("name", CHECKED)
def test_the_console_in_a_browser(name: str, stack_file: Path, served: tuple[Path, str]) -> None:
    """Each check of console/browser/<name>.spec.ts passes."""
    folder, url = served
    run_checks(json.loads(stack_file.read_text()), url, folder / "results", f"{name}.spec.ts")


def test_the_parts_of_the_console() -> None:
    """Numbers, dates, scrolling and the address, without a browser."""
    page_build.build_page()
    page_build.find_node().run(page_build.CONSOLE, "run", "--silent", "test")
