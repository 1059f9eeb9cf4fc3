"""What people put right in a file's cells, and the SQL that puts it right.

A repair acts on the original text, between the staged object and its conversion: what one makes of a cell is
no other's original. The staged object keeps what the file had, and so do rejects and origins.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from managed_tables.conversion.columns import FROM_LIST
from managed_tables.conversion.marked_cells import mark_text, unmark_text, unmarked
from managed_tables.conversion.sql_text import choose, literal
from managed_tables.details import InvalidValue
from managed_tables.schema import MAX_LABEL_CHARACTERS, STORABLE

MAX_VALUES, MAX_CELLS = 1_000, 200  # of a load
MAX_TEXT_CHARACTERS = 1_000  # of a text that is looked for, or put in its place

_Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS), STORABLE]
_Name = Annotated[str, Field(max_length=1_024)]
Texts = Mapping[str, str | None]  # what becomes of each text; None: the cell is empty

# `from` is a keyword of Python. Both have one outcome: `to`, or `empty`.
ValueRepair = TypedDict(
    "ValueRepair", {"from": _Text, "to": NotRequired[_Text], "empty": NotRequired[Literal[True]]}
)
Repair = TypedDict(
    "Repair",
    {
        "column": Annotated[str, Field(max_length=MAX_LABEL_CHARACTERS)],
        "from": NotRequired[_Text],
        "file": NotRequired[_Name],
        "sheet": NotRequired[_Name | None],
        "line": NotRequired[Annotated[int, Field(ge=1)]],
        "to": NotRequired[_Text],
        "empty": NotRequired[Literal[True]],
        "remember": NotRequired[bool],
    },
)
with_config(ConfigDict(extra="forbid"))(ValueRepair)
with_config(ConfigDict(extra="forbid"))(Repair)

_AnyRepair = TypeVar("_AnyRepair", bound=Mapping[str, Any])


def _has_one_outcome(repair: _AnyRepair) -> _AnyRepair:
    if ("to" in repair) == ("empty" in repair):
        raise InvalidValue("NOT_ALLOWED", "um conserto tem to, ou empty: true")
    return repair


def _has_one_place(repair: _AnyRepair) -> _AnyRepair:
    place = repair.keys() & {"file", "sheet", "line"}
    if place if "from" in repair else not {"file", "line"} <= place:
        raise InvalidValue("NOT_ALLOWED", "um conserto tem from, ou o lugar da célula: file, sheet e line")
    return repair


_OfValue = Annotated[ValueRepair, AfterValidator(_has_one_outcome)]
_OfLoad = Annotated[Repair, AfterValidator(_has_one_outcome), AfterValidator(_has_one_place)]
ValueRepairs = Annotated[tuple[_OfValue, ...], Field(max_length=MAX_VALUES), FROM_LIST]
Repairs = Annotated[tuple[_OfLoad, ...], Field(max_length=MAX_VALUES + MAX_CELLS), FROM_LIST]


def texts_of(repairs: Iterable[Mapping[str, Any]], column: str | None = None) -> dict[str, str | None]:
    """Return what becomes of each text, of one column if it is named; of two for a text the later holds."""
    return {
        repair["from"]: repair.get("to")
        for repair in repairs
        if "from" in repair and (column is None or repair["column"] == column)
    }


def as_value_repair(text: str, becomes: str | None) -> ValueRepair:
    """Return the repair of each such text."""
    return {"from": text, "empty": True} if becomes is None else {"from": text, "to": becomes}


def original(cell: str, texts: Texts, *, is_workbook: bool) -> str:
    """Return the SQL of a staged cell's text as repairs know it: without a mark; one of `""` means empty."""
    text = unmarked(cell) if is_workbook else cell
    return f"coalesce({text}, '')" if "" in texts else text


def is_repaired(cell: str, texts: Texts, *, is_workbook: bool) -> str:
    """Return the test that a repair acts on the cell; not NULL where the cell is not."""
    return f"{original(cell, texts, is_workbook=is_workbook)} IN ({_listed(texts)})"


def repaired(cell: str, texts: Texts, *, is_workbook: bool) -> str:
    """Return the SQL of a staged cell after the repairs of its text."""
    if not texts:
        return cell
    made = [_marked(text, is_workbook) for text in texts.values()]
    text = original(cell, texts, is_workbook=is_workbook)
    found = f"map_extract_value(MAP([{_listed(texts)}], [{_listed(made)}]::VARCHAR[]), {text})"
    return choose((is_repaired(cell, texts, is_workbook=is_workbook), found), otherwise=cell)


def loaded_text(
    repairs: Repairs | None, kept: ValueRepairs, column: str, row: Mapping[str, Any], text: str | None
) -> tuple[bool, str | None]:
    """Return whether a repair acts on a row's staged cell, and the text that is loaded.

    `repairs` are those of the load, `kept` those of the recipe, `row` says where it stands.
    """
    place = [row["file"], row["sheet"], row["line"]]
    for one in repairs or ():
        is_here = [one.get("file"), one.get("sheet"), one.get("line")] == place
        if is_here and one["column"] == column:
            return True, one.get("to")
    texts = texts_of(kept) if repairs is None else texts_of(repairs, column)
    known = unmark_text(text or "")
    return (True, texts[known]) if known in texts else (False, text)


def _marked(text: str | None, is_workbook: bool) -> str | None:
    return mark_text(text) if text and is_workbook else text


def _listed(texts: Iterable[str | None]) -> str:
    return ", ".join("NULL" if text is None else literal(text) for text in texts)


def with_cells(
    made: str, cells: Sequence[Mapping[str, Any]], files: Sequence[str], *, is_workbook: bool
) -> str:
    """Return the SQL of what is made of a cell, but for those that repairs name one by one."""
    branches = [(is_at(one, files), _listed([_marked(one.get("to"), is_workbook)])) for one in cells]
    return choose(*branches, otherwise=made) if branches else made


def is_at(repair: Mapping[str, Any], files: Sequence[str]) -> str:
    """Return the test that a staged row is the one whose cell is repaired."""
    numbers = [str(number) for number, name in enumerate(files) if name == repair["file"]]
    sheet = _listed([repair.get("sheet")])
    in_file = f"file IN ({', '.join(numbers)})" if numbers else "false"
    return f"({in_file} AND sheet IS NOT DISTINCT FROM {sheet} AND line = {repair['line']})"
