"""Define valid names in SQL, and turn labels into valid, distinct ones."""

import re
import unicodedata
from collections.abc import Container, Iterable

MAX_IDENTIFIER_BYTES = 63  # NAMEDATALEN - 1 of PostgreSQL
MAX_COLUMNS = 1_500  # PostgreSQL's limit is 1,600, less room for the id and for hidden columns

ID_COLUMN = "id"
SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
RESERVED_COLUMNS = SYSTEM_COLUMNS | {ID_COLUMN}

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # bidi controls and joiners are Cf
# Letters and marks that show nothing: fillers of Hangul, the blank of Braille, selectors of variants.
_FILLERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_NOT_IDENTIFIER_CHARACTERS = re.compile(r"[^a-z0-9]+")
_KNOWN_EXTENSION = re.compile(
    r"(\.(csv|tsv|txt|xlsx|xlsm|xls|ods|jsonl|ndjson|json|parquet|zip))?(\.gz)?$", re.IGNORECASE
)


def is_identifier(name: str) -> bool:
    """Return whether the whole of `name` matches the contract's regex and fits PostgreSQL's 63 bytes."""
    return _IDENTIFIER.fullmatch(name) is not None and len(name.encode()) <= MAX_IDENTIFIER_BYTES


def is_table_name(name: str) -> bool:
    """Return whether a table may have this name: PostgreSQL finds its own catalogue first for `pg_…`."""
    return is_identifier(name) and not name.startswith("pg_")


def is_visible(text: str) -> bool:
    """Return whether anything of the text can be seen: not blanks, controls and fillers alone."""
    return any(
        unicodedata.category(character) not in _UNSEEN_CATEGORIES and not _FILLERS.fullmatch(character)
        for character in text
    )


def make_identifier(label: str) -> str:
    """Turn a label into snake_case without accents; empty where nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = _NOT_IDENTIFIER_CHARACTERS.sub("_", plain).strip("_")[:MAX_IDENTIFIER_BYTES].rstrip("_")
    return f"_{name}"[:MAX_IDENTIFIER_BYTES] if name[:1].isdigit() else name


def fold_label(label: str) -> str:
    """Return the label whatever its case, accents and blanks; whole, since names are cut and drop signs."""
    bare = (one for one in unicodedata.normalize("NFKD", label) if not unicodedata.combining(one))
    return " ".join("".join(bare).casefold().split())


def make_column_names(labels: Iterable[str]) -> list[str]:
    """Return one valid name a label, in order and distinct: blank → `coluna_N`, `id` → `id_original`."""
    names: list[str] = []
    taken: set[str] = set()
    for number, label in enumerate(labels, start=1):
        name = make_identifier(label) or f"coluna_{number}"
        if name in RESERVED_COLUMNS:
            name = f"{name}_original"
        names.append(make_distinct(name, taken))
        taken.add(names[-1])
    return names


def make_distinct(name: str, taken: Container[str]) -> str:
    """Return `name`, or `name_2`, `name_3`, … cut to fit: the first that is not taken."""
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f"_{number}"
        candidate = name[: MAX_IDENTIFIER_BYTES - len(suffix)] + suffix
    return candidate


def suggest_table_name(file_name: str, taken: Container[str]) -> str:
    """Return a valid, free table name from a file's name (folders and known extensions dropped)."""
    base = _KNOWN_EXTENSION.sub("", file_name.replace("\\", "/").rsplit("/", 1)[-1])
    name = make_identifier(base) or "tabela"
    if not is_table_name(name):
        name = f"tabela_{name}"[:MAX_IDENTIFIER_BYTES]
    return make_distinct(name, taken)
