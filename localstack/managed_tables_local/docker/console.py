"""Serve the page in Docker: `python -m managed_tables_local.docker.console`, `console` of compose.yaml."""

import os

import uvicorn

from managed_tables_local import stack as local
from managed_tables_local.checkout import LOCAL
from managed_tables_local.console_page import page
from managed_tables_local.console_page.page_build import build_page
from managed_tables_local.ports import LOOPBACK


def main() -> None:
    """Build the page and serve it before the deployed stack, until it is stopped."""
    stack = local.load(LOCAL / "compose" / "stack.json")
    os.environ.update(page.settings(build_page(), stack.api_url, stack.aws_endpoint_url))
    host = os.environ.get("BIND_HOST", LOOPBACK)
    uvicorn.run(page.APP, factory=True, host=host, port=int(os.environ["CONSOLE_PORT"]), access_log=False)


if __name__ == "__main__":
    main()
