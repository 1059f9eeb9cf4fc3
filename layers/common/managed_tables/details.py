"""Say what is wrong at one place of a request or a file: shape and codes of an error's `details`."""

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

from typing_extensions import TypeAliasType

MAX_ERROR_DETAILS = 20  # what the contract shows: the first ones say what is wrong
MAX_VALUE_CHARACTERS = 200  # of a refused value that is shown: a cell of a megabyte would drown the answer

Place = Literal["body", "query", "path", "row", "file"]

# `in` is a keyword of Python. Only the keys that apply are there; `row` counts from 0, `line` from 1.
Detail = TypedDict(
    "Detail",
    {
        "in": Place,
        "path": str,
        "row": int,
        "column": str | None,
        "rule": str,
        "file": str,
        "sheet": str | None,
        "line": int,
        "value": Any,
        "count": int,
        "code": str,
        "reason": str,
    },
    total=False,
)


# What is wrong, for programs: the codes never change their meaning.
DetailCode = TypeAliasType("DetailCode", Literal[
    "REQUIRED", "READ_ONLY", "UNKNOWN_COLUMN", "UNKNOWN_FIELD", "UNKNOWN_PARAMETER", "UNKNOWN_OPERATOR",
    "ROW_NOT_FOUND", "ROW_CHANGED", "DUPLICATE_ID", "OPERATOR_NOT_FOR_TYPE", "TOO_DEEP", "NOT_A_TEXT",
    "NOT_AN_INTEGER", "NOT_A_DECIMAL", "NOT_A_BOOLEAN", "NOT_A_DATE", "NOT_A_DATETIME", "NOT_A_LIST",
    "NOT_AN_OBJECT", "NOT_ALLOWED", "NOT_JSON", "INVALID", "INVALID_CHARACTER", "OUT_OF_RANGE", "TOO_SHORT",
    "TOO_LONG", "TOO_SMALL", "TOO_LARGE", "INVALID_NAME", "RESERVED_NAME", "DUPLICATE_NAME",
    "MISSING_COLUMN", "NOT_NULLABLE", "REPEATED", "UNKNOWN_FILE", "UNKNOWN_SHEET", "NO_SUCH_LINE",
    "NOT_A_DELIMITER", "NOT_A_QUOTE", "UNKNOWN_ENCODING", "UNKNOWN_TIMEZONE", "NOT_FOR_A_WORKBOOK",
    "KEY_COLUMN", "DUPLICATE_KEY", "EMPTY_FILE", "UNKNOWN_EXTENSION", "PATTERN_NOT_ALLOWED", "RULE_BROKEN",
    "ROWS_BREAK_RULE", "REFERRED_TO", "NOT_YAML", "ALIKE",
])  # fmt: skip


class Fault(NamedTuple):
    """What is wrong with one thing, wherever it stands: a code, and a Portuguese reason."""

    code: DetailCode
    reason: str


UNKNOWN_COLUMN = Fault("UNKNOWN_COLUMN", "a tabela não tem esta coluna")
UNKNOWN_TIMEZONE = Fault("UNKNOWN_TIMEZONE", "não é um fuso horário, como America/Sao_Paulo")


class InvalidValue(ValueError):  # noqa: N818 - named for what it tells
    """A value is refused; pydantic's validators may raise it, too."""

    def __init__(self, code: DetailCode, reason: str) -> None:
        self.fault = Fault(code, reason)
        super().__init__(reason)


def detail(place: Place, fault: Fault, **keys: Any) -> Detail:
    """Return a detail with the keys that are given, in the order of the shape."""
    given = {"in": place, **keys, "code": fault.code, "reason": fault.reason}
    return {key: given[key] for key in Detail.__annotations__ if key in given}  # type: ignore[return-value]


def row_detail(fault: Fault, file: str, sheet: str | None, line: int, **keys: Any) -> Detail:
    """Return a detail about a row of a file, or of a workbook's sheet."""
    sheets = {} if sheet is None else {"sheet": sheet}
    return detail("file", fault, file=file, line=line, **sheets, **keys)


def shown_value(value: Any) -> Any:
    """Return a refused JSON value as an answer can show it: cut where it is long, a container by its kind."""
    if isinstance(value, dict | list):
        return "objeto" if isinstance(value, dict) else "lista"
    text = str(value)
    return shown_text(text) if isinstance(value, str) or len(text) > MAX_VALUE_CHARACTERS else value


def shown_text(text: str) -> str:
    """Return a text as an answer can show it: cut, and without what UTF-8 cannot carry."""
    cut = text if len(text) <= MAX_VALUE_CHARACTERS else text[:MAX_VALUE_CHARACTERS] + "…"
    return cut.encode(errors="backslashreplace").decode()


def name_faults(names: Iterable[str], known: Container[str], path: str, twice: Fault) -> Iterator[Detail]:
    """Yield the names of a list that no column has, or that come `twice`; `path` takes the place of each."""
    seen: set[str] = set()
    for place, name in enumerate(names):
        if name not in known or name in seen:
            fault = twice if name in known else UNKNOWN_COLUMN
            yield detail("body", fault, path=path.format(place), column=shown_text(name))
        seen.add(name)


def json_path(parts: Sequence[str | int]) -> str:
    """Return the path of a place in a body: `columns[0].type`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")


class Described(TypedDict):
    """The details of an error; `details_total` is how many there are, where only the first are listed."""

    details: list[Detail]
    details_total: NotRequired[int]


def described(details: Sequence[Detail], total: int | None) -> Described:
    """Return `details`, and `details_total` where only the first of them are listed."""
    if total is None or total <= len(details):
        return {"details": list(details)}
    return {"details": list(details), "details_total": total}
