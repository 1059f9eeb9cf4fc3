"""Read `styles.xml`: which number format each cell style has."""

from typing import IO

from managed_tables_reader.workbooks.values.formats import (
    GENERAL,
    NumberFormat,
    builtin_format,
    parse_format,
)
from managed_tables_reader.workbooks.xml import Attributes, parse_xml

_MAX_STYLES = 100_000  # Excel allows 65,490


def read_styles(stream: IO[bytes]) -> list[NumberFormat]:
    """Return the number format of each style, in the order of the numbers that cells use."""
    codes: dict[str, str] = {}
    ids: list[str] = []
    path: list[str] = []

    def on_start(element: str, attributes: Attributes) -> None:
        if element == "numFmt":
            codes[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
        elif element == "xf" and path[-1:] == ["cellXfs"] and len(ids) < _MAX_STYLES:
            ids.append(attributes.get("numFmtId", "0"))
        path.append(element)

    def on_end(_: str) -> None:
        path.pop()

    parse_xml(stream, on_start, on_end, lambda _: None)
    return [_format(number, codes) for number in ids]


def _format(number: str, codes: dict[str, str]) -> NumberFormat:
    if number in codes:
        return parse_format(codes[number])
    return builtin_format(int(number)) if number.isdigit() else GENERAL
