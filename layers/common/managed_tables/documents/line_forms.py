"""Know lines that are no rows, and what else than one table a file holds, again in another file."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import takewhile

from managed_tables.documents.analyses import FileWarning
from managed_tables.documents.pictures import LineAccount
from managed_tables.identifiers import fold_label

MAX_LINES_KNOWN = 200  # how many beginnings of lines that are no rows a recipe holds
# What else than one plain table a file may hold, as warnings tell it; of the second names or numbers count.
_STRUCTURE = frozenset(
    {"SUBTOTAL_LINES", "GROUP_LINES", "OTHER_TABLES", "TABLE_APART", "TABLE_BESIDE", "LISTS_WITHIN",
     "NOT_A_TABLE", "OTHER_HEADER", "HEADER_ASSUMED", "HEADER_AGAIN", "TABLE_JOINED", "HIDDEN_ROWS",
     "HIDDEN_COLUMNS"}
)  # fmt: skip
_NAMED = frozenset({"JOINED_SHEETS", "SHEETS_LEFT_OUT", "EMPTY_SHEETS", "HIDDEN_SHEETS", "MEMBERS_LEFT_OUT"})


def find_line_forms(accounts: Sequence[LineAccount]) -> list[tuple[str, str]]:
    """Return why, and a digest of how, lines begin that were left out: what is known again in another file.

    A digest, since such a line may name a person.
    """
    left = (line for account in accounts for line in account.left)
    forms = (
        (line.code, sha256(fold_label(beginning_of(line.text)).encode()).hexdigest()[:12]) for line in left
    )
    return list(dict.fromkeys(forms))[:MAX_LINES_KNOWN]


def find_structure(warnings: Sequence[FileWarning]) -> list[str]:
    """Return what else than one plain table the files hold, each as a text that is the same for the same."""
    found: list[str] = []
    for warning in warnings:
        if warning.code in _NAMED:
            found += [f"{warning.code}:{fold_label(name)}" for name in sorted(warning.columns)] or [
                f"{warning.code}:{warning.count or 0}"
            ]
        elif warning.code in _STRUCTURE:
            found.append(warning.code)
    return list(dict.fromkeys(found))


def beginning_of(text: str) -> str:
    """Return how a line begins, down to its first number or date: what it says in every month."""
    return " ".join(takewhile(lambda word: not any(map(str.isdigit, word)), text.split()))
