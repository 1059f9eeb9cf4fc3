"""The contract, "Column types", and exact values: what goes in as JSON comes out as the same JSON."""

import json
from collections.abc import Callable
from decimal import Decimal

import pytest
from client import Console, column

pytestmark = pytest.mark.app

TYPES = ("text", "integer", "decimal", "boolean", "date", "datetime")
LARGEST = 9_223_372_036_854_775_807  # 2^63 - 1
SIXTY_DIGITS = "123456789012345678901234567890.123456789012345678901234567890"

Query = Callable[..., list[tuple[object, ...]]]


def make(company: Console, *types: str) -> str:
    """Create a table with one nullable column per type, named after the type; return its id."""
    return str(company.create_table("valores", *(column(type_, type_) for type_ in types))["_id"])


def insert_text(company: Console, table_id: str, type_: str, literal: str) -> int:
    """Insert one value written exactly as given; return the status."""
    body = f'{{"rows": [{{"{type_}": {literal}}}]}}'
    return company.call("POST", f"/{table_id}/data", text=body.encode()).status


def listed(company: Console, table_id: str, type_: str, **params: str) -> list[str]:
    """Return the exact JSON text of a column's values, row by row."""
    text = company.call("GET", f"/{table_id}/data", params=params).text
    page = json.loads(text, parse_int=_Literal, parse_float=_Literal)
    return [
        row[type_] if isinstance(row[type_], _Literal) else json.dumps(row[type_], ensure_ascii=False)
        for row in page["records"]
    ]


class _Literal(str):
    """The digits of a JSON number as written."""

    __slots__ = ()


def test_each_type_has_its_postgresql_type(company: Console, query: Query) -> None:
    """Each type is stored as the documented PostgreSQL type."""
    make(company, *TYPES)
    found = query(
        company,
        """select column_name, upper(udt_name) from information_schema.columns
           where table_schema = 'public' and table_name = 'valores' and column_name <> 'id'""",
    )
    assert dict(found) == {
        "text": "TEXT",
        "integer": "INT8",
        "decimal": "NUMERIC",
        "boolean": "BOOL",
        "date": "DATE",
        "datetime": "TIMESTAMPTZ",
    }


@pytest.mark.parametrize(
    ("type_", "literal"),
    [
        ("text", '""'),
        ("text", '"  olá, \\"mundo\\"\\n\\t\\\\ "'),
        ("text", '"😀 ação"'),
        ("integer", "0"),
        ("integer", str(LARGEST)),
        ("integer", str(-LARGEST - 1)),
        ("integer", "9007199254740993"),
        ("decimal", SIXTY_DIGITS),
        ("decimal", "0.1"),
        ("decimal", "12.50"),
        ("boolean", "true"),
        ("date", '"2026-01-15"'),
        ("date", '"0001-01-01"'),
        ("date", '"9999-12-31"'),
        ("datetime", '"2026-01-15T10:30:00Z"'),
        ("datetime", '"2026-01-15T10:30:00.123456Z"'),
    ],
)
def test_a_value_comes_out_digit_for_digit(company: Console, type_: str, literal: str) -> None:
    """A value of each type comes out as it went in, with no float in between."""
    table_id = make(company, type_)
    assert insert_text(company, table_id, type_, literal) == 201
    [text] = listed(company, table_id, type_)
    assert text == literal.replace('\\"mundo\\"\\n\\t\\\\', '\\"mundo\\"\\n\\t\\\\')


@pytest.mark.parametrize(
    ("literal", "value"), [("1e-30", Decimal("1e-30")), ("1E+3", Decimal(1_000)), ("-0.0", Decimal(0))]
)
def test_exponents_are_exact(company: Console, literal: str, value: Decimal) -> None:
    """A decimal in exponent form keeps its exact value."""
    table_id = make(company, "decimal")
    assert insert_text(company, table_id, "decimal", literal) == 201
    [text] = listed(company, table_id, "decimal")
    assert Decimal(text) == value


@pytest.mark.parametrize("type_", ["integer", "decimal"])
def test_numbers_may_be_strings_of_digits(company: Console, type_: str) -> None:
    """Integer and decimal also accept strings of digits, and return JSON numbers."""
    table_id = make(company, type_)
    assert insert_text(company, table_id, type_, f'"-{LARGEST}"') == 201
    assert listed(company, table_id, type_) == [f"-{LARGEST}"]


def test_numbers_as_strings_on_request(company: Console) -> None:
    """`?numbers=string` returns integers and decimals as JSON strings, and changes nothing else."""
    table_id = make(company, "integer", "decimal", "boolean")
    body = f'{{"rows": [{{"integer": {LARGEST}, "decimal": {SIXTY_DIGITS}, "boolean": true}}]}}'
    company.ok("POST", f"/{table_id}/data", text=body)
    [row] = company.rows(table_id, numbers="string")
    assert (row["integer"], row["decimal"], row["boolean"]) == (str(LARGEST), SIXTY_DIGITS, True)
    path = f"/{table_id}/data/{row['id']}"
    updated = company.ok("PUT", path, {"integer": 7}, params={"numbers": "string"})
    assert (updated["integer"], updated["decimal"]) == ("7", SIXTY_DIGITS)
    assert isinstance(company.ok("PUT", path, {"integer": 7})["integer"], int)


@pytest.mark.parametrize(
    ("type_", "literal"),
    [
        ("text", "true"),
        ("text", "{}"),
        ("integer", "true"),
        ("integer", '"1,5"'),
        ("integer", '"sete"'),
        ("decimal", "true"),
        ("decimal", '"Infinity"'),
        ("decimal", '"1.234,56"'),
        ("decimal", "{}"),
        ("boolean", "1"),
        ("date", "20260115"),
        ("datetime", '"2026-01-15T25:00:00Z"'),
        ("datetime", '"now"'),
        ("datetime", "1768473000"),
    ],
)
def test_a_value_of_another_type_is_refused(company: Console, type_: str, literal: str) -> None:
    """A value of another type than the column's is 422, and no row is inserted."""
    table_id = make(company, type_)
    assert insert_text(company, table_id, type_, literal) == 422
    assert company.rows(table_id) == []


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("type_", ["decimal", "integer", "text"])
def test_nan_and_infinity_are_not_json(company: Console, type_: str, literal: str) -> None:
    """NaN and Infinity are not JSON: 422."""
    assert insert_text(company, make(company, type_), type_, literal) == 422


@pytest.mark.parametrize("literal", ['"a\\u0000b"', '"\\ud800"', '"\\udc00x"'])
def test_text_that_postgresql_cannot_hold_is_refused(company: Console, literal: str) -> None:
    """A NUL character and a lone surrogate in a text are 422 with the column's name."""
    table_id = make(company, "text")
    answer = company.call("POST", f"/{table_id}/data", text=f'{{"rows": [{{"text": {literal}}}]}}')
    assert answer.status == 422
    assert answer.details[0]["column"] == "text"


@pytest.mark.parametrize(
    ("given", "answered"),
    [
        ("2026-01-15T10:30:00-03:00", "2026-01-15T13:30:00Z"),
        ("2026-01-15T10:30:00.5Z", "2026-01-15T10:30:00.5Z"),
        ("2026-01-15T10:30:00.120000+00:00", "2026-01-15T10:30:00.12Z"),
        ("2026-01-15T23:30:00-03:00", "2026-01-16T02:30:00Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
    ],
)
def test_datetimes_come_out_in_utc(company: Console, given: str, answered: str) -> None:
    """`datetime` comes out in UTC with `Z` and as many fractional digits as it has."""
    table_id = make(company, "datetime")
    assert insert_text(company, table_id, "datetime", json.dumps(given)) == 201
    assert company.rows(table_id)[0]["datetime"] == answered


@pytest.mark.parametrize("type_", TYPES)
def test_null_is_null_in_every_type(company: Console, type_: str) -> None:
    """A nullable column of any type holds NULL."""
    table_id = make(company, type_)
    assert insert_text(company, table_id, type_, "null") == 201
    assert listed(company, table_id, type_) == ["null"]
