"""Keep the ledger of what was erased, so that a store that comes back from before does not bring it back.

It lies in the bucket under `erasures/`, which no restore of PostgreSQL or of the catalog takes back, and has
ids alone: of companies' databases, and of rows.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from managed_tables.ids import new_record_id
from managed_tables.wiring.services import Services

_COMPANIES = "erasures/companies/"
_ROWS = "erasures/rows/"


def note_company(services: Services, company_id: str, connection_id: str) -> None:
    """Note that the company's database is to be erased; repeatable."""
    services.storage.put_json(f"{_COMPANIES}{connection_id}.json", {"company_id": company_id})


def note_rows(services: Services, company_id: str, ids: Iterable[UUID]) -> None:
    """Note that the company's rows of these ids are to be erased."""
    key = f"{_ROWS}{company_id}/{new_record_id()}.json"
    services.storage.put_json(key, {"ids": [str(row_id) for row_id in ids]})


def erased_databases(services: Services) -> dict[str, str]:
    """Return the company of each erased database, by the connection's id."""
    return {
        key.removeprefix(_COMPANIES).removesuffix(".json"): services.storage.get_json(key)["company_id"]
        for key in services.storage.keys(_COMPANIES)
    }


def erased_rows(services: Services, company_id: str) -> Iterator[list[UUID]]:
    """Yield the ids of the rows that each erasure of the company took."""
    for key in services.storage.keys(f"{_ROWS}{company_id}/"):
        yield [UUID(row_id) for row_id in services.storage.get_json(key)["ids"]]
