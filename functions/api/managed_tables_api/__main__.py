"""Print the OpenAPI document, as committed in docs/openapi.json: `python -m managed_tables_api`."""

import json
import sys

from managed_tables.settings import Settings
from managed_tables_api.app import create_app
from managed_tables_api.openapi import build_document
from managed_tables_api.services import ApiServices


def main() -> None:
    """Print the document."""
    app = create_app(ApiServices(Settings(table_name="-", bucket_name="-")))
    json.dump(build_document(app), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
