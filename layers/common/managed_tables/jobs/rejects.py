"""The file of rows that did not fit: insert writes it, the API offers it, and analyze reads it again."""

import re
from collections.abc import Sequence

from managed_tables.catalog.job_records import JobRecord

PLACE_LABELS = ("arquivo", "aba", "linha", "motivo")
# What a spreadsheet may run, also by full-width signs or behind blanks; for Python and PostgreSQL.
FORMULA = r"^(\s*[=+@＝＋－＠-]|[\t\r\n])"
GUARD = "'"


def guarded(text: str) -> str:
    """Return a cell's text so that no spreadsheet runs it: behind an apostrophe, but for signed numbers."""
    is_formula = re.match(FORMULA, text) and not re.fullmatch(r"\s*[+-][\d.,]+%?\s*", text)
    return GUARD + text if is_formula or text.startswith(GUARD) else text


def are_rejects(labels: Sequence[str | None]) -> bool:
    """Return whether a file is one of rejected rows, by its last labels."""
    return len(labels) > len(PLACE_LABELS) and tuple(labels[-len(PLACE_LABELS) :]) == PLACE_LABELS


def rejects_keys(job: JobRecord) -> tuple[str, str] | None:
    """Return the keys of a confirmation's file of rejected rows, and of its summary."""
    if job.confirmed_key is None:
        return None
    base = job.confirmed_key.replace("/confirmed-", "/rejects-").removesuffix(".json")
    return f"{base}.csv", f"{base}.json"
