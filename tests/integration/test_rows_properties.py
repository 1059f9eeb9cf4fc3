"""Properties of any rows: values come back as they went in, and pages partition the rows under any sort."""

import base64
import itertools
import json
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows_client import SALES, RowsClient, RowsCompany

PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)
integers = st.integers(-(2**63), 2**63 - 1)
decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(
    lambda d: abs(d.adjusted()) < 10_000
) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(-(10**60), 10**60),
    st.integers(-60, 60),
)
moments = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat().replace("+00:00", "Z"))
cells: dict[str, st.SearchStrategy[Any]] = {
    "produto": texts,
    "valor": st.none() | decimals,
    "quantidade": st.none() | integers,
    "pago": st.none() | st.booleans(),
    "dia": st.none() | st.dates().map(str),
    "quando": st.none() | moments,
}
sales = st.fixed_dictionaries(cells)


def write(value: Any) -> str:
    """Return JSON text with exact decimals."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{write(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value)


@PROPERTY
@given(st.lists(sales, min_size=1, max_size=4))
def test_rows_come_back_as_they_went_in(rows: RowsClient, given_rows: list[dict[str, Any]]) -> None:
    rows.execute("TRUNCATE vendas, managed_tables.row_counts")
    assert rows.call("POST", body=write({"rows": given_rows})).status == 201
    records = rows.list()["records"]
    for record in records:
        record.pop("id")
        if record["quando"]:
            record["quando"] = with_all_digits(record["quando"])
    expected = [
        {**row, "quando": with_all_digits(row["quando"]) if row["quando"] else None} for row in given_rows
    ]
    assert records == expected


def with_all_digits(moment: str) -> str:
    """Return the time with six fractional digits."""
    whole, _, fraction = moment.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<6}Z"


@PROPERTY
@given(sales)
def test_an_update_returns_what_a_list_then_shows(rows: RowsClient, fields: dict[str, Any]) -> None:
    if rows.list()["total"] == 0:
        rows.insert({"produto": "x"})
    row = rows.list()["records"][0]
    updated = rows.call("PATCH", f"/{row['id']}", write(fields))
    assert updated.status == 200
    assert updated.body == rows.list()["records"][0]
    assert {name: updated.body[name] for name in fields if name != "quando"} == {
        name: value for name, value in fields.items() if name != "quando"
    }


few = {  # few distinct values, so that there are ties and NULLs to keep in order
    "produto": st.sampled_from(["", "a", "A", "á", "b", "ção", "z" * 600, "z" * 600 + "a"]),
    "valor": st.sampled_from([None, Decimal("1.0"), Decimal("1.00"), Decimal(-2), Decimal("1e30")]),
    "quantidade": st.sampled_from([None, -(2**63), 0, 2**63 - 1]),
    "pago": st.sampled_from([None, True, False]),
    "dia": st.sampled_from([None, "0001-01-01", "2026-01-01"]),
    "quando": st.sampled_from([None, "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00Z"]),
}
sorts = st.sampled_from([None, *(sign + name for name in ("id", *SALES) for sign in ("", "-"))])


@PROPERTY
@given(st.lists(st.fixed_dictionaries(few), max_size=12), sorts, st.integers(1, 5))
def test_pages_and_cursors_partition_the_rows_in_the_same_order(
    rows: RowsClient, given_rows: list[dict[str, Any]], sort_by: str | None, per_page: int
) -> None:
    rows.execute("TRUNCATE vendas, managed_tables.row_counts")
    if given_rows:
        assert rows.call("POST", body=write({"rows": given_rows})).status == 201
    query = {"per_page": per_page, **({"sort_by": sort_by} if sort_by else {})}
    whole = rows.list(**{**query, "per_page": 100})["records"]
    by_page = [
        row
        for page in range(1, len(whole) // per_page + 2)
        for row in rows.list(page=page, **query)["records"]
    ]
    assert [row["id"] for row in by_page] == [row["id"] for row in whole]
    assert by_cursor(rows, query) == whole
    assert_sorted(whole, sort_by)


def by_cursor(rows: RowsClient, query: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    page = rows.list(**query)
    while True:
        assert page["quantity"] == len(page["records"])
        found += page["records"]
        if page["next_cursor"] is None:
            return found
        page = rows.list(cursor=page["next_cursor"], **query)


def assert_sorted(records: list[Any], sort_by: str | None) -> None:
    ids = [row["id"] for row in records]
    if sort_by in (None, "id", "-id"):
        assert ids == sorted(ids, reverse=sort_by == "-id")
        return
    name = sort_by.removeprefix("-")
    values = [row[name] for row in records]
    known = [value for value in values if value is not None]
    assert values == known + [None] * (len(values) - len(known))  # NULLs last in both directions
    if name not in (
        "produto",
        "quando",
    ):  # text sorts as the database's collation does; times have two lengths
        assert known == sorted(known, reverse=sort_by.startswith("-"))
    for first, second in itertools.pairwise(records):
        if first[name] == second[name]:
            assert first["id"] < second["id"]  # ties by insertion order


def test_text_sorts_in_brazilian_order_if_the_server_has_icu(rows: RowsClient) -> None:
    rows.insert(*({"produto": word} for word in ("zebra", "água", "Ação", "abacaxi", "Ótimo", "ovo")))
    listed = [row["produto"] for row in rows.list(sort_by="produto")["records"]]
    if rows.execute("SELECT 1 FROM pg_collation WHERE collname = 'pt-BR-x-icu'"):
        assert listed == ["abacaxi", "Ação", "água", "Ótimo", "ovo", "zebra"]
    else:
        assert listed == ["Ação", "abacaxi", "ovo", "zebra", "Ótimo", "água"]


def test_pages_counted_from_either_end_match(rows: RowsClient) -> None:
    rows.insert(*({"produto": str(number)} for number in range(101)))
    for sort_by, expected in (("id", range(101)), ("-id", range(100, -1, -1))):
        found = [
            int(row["produto"])
            for page in range(1, 18)
            for row in rows.list(sort_by=sort_by, page=page, per_page=7)["records"]
        ]
        assert found == list(expected)


def test_a_cursor_stays_valid_while_rows_before_it_change(rows: RowsClient) -> None:
    rows.insert(*({"produto": str(number)} for number in range(4)))
    page = rows.list(per_page=2)
    for row in page["records"]:
        assert rows.call("DELETE", f"/{row['id']}").status == 204
    rows.insert({"produto": "4"})
    after = rows.list(per_page=2, cursor=page["next_cursor"])
    assert [row["produto"] for row in after["records"]] == ["2", "3"]
    assert after["next_cursor"] is not None


def test_a_cursor_belongs_to_one_table_order_and_definition(
    rows: RowsClient, rows_company: RowsCompany
) -> None:
    rows.insert({"produto": "a"}, {"produto": "b"})
    cursor = rows.list(per_page=1, sort_by="produto")["next_cursor"]
    other = rows_company.make_table(SALES, "outras")
    assert other.call("GET", cursor=cursor, sort_by="produto").status == 422
    for sort_by in ("-produto", "valor", "id"):
        assert rows.call("GET", cursor=cursor, sort_by=sort_by).status == 422
    assert rows.call("GET", cursor=cursor).status == 422
    rows.change("ALTER TABLE vendas ADD nova text", {**SALES, "nova": "text?"})
    assert rows.call("GET", cursor=cursor, sort_by="produto").status == 422


@pytest.mark.parametrize("sort_by", ["id", "produto", "quantidade", "quando", "pago"])
def test_a_tampered_cursor_is_422(rows: RowsClient, sort_by: str) -> None:
    rows.insert(
        *({"produto": "a", "quantidade": 1, "pago": True, "quando": "2026-01-01T00:00:00Z"} for _ in "ab")
    )
    cursor = rows.list(per_page=1, sort_by=sort_by)["next_cursor"]
    content = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    key = content[1][-1]
    for place, value in (
        (0, "x"),
        (0, 5),
        (1, ["x'", key]),
        (1, ["a\x00", key]),
        (1, [{}, key]),
        (1, [key]),
        (1, [None, None]),
        (1, {}),
        (2, 1),
        (2, None),
    ):
        if (sort_by, value) in (("produto", ["x'", key]), ("id", [key])):  # those are valid
            continue
        changed = [value if at == place else item for at, item in enumerate(content)]
        text = base64.urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
        assert rows.call("GET", cursor=text, sort_by=sort_by).status == 422, changed


def test_a_cursor_of_groups_that_says_it_is_of_a_row_is_422(rows: RowsClient) -> None:
    rows.insert(*({"produto": name, "quantidade": 1} for name in "ab"))
    count = {"fn": "count", "as": "total"}
    body = {"group_by": ["produto"], "aggregates": [count], "sort": ["-total"], "per_page": 1}
    cursor = rows.call("POST", "/query", body).body["next_cursor"]
    binding, keys, _ = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    text = base64.urlsafe_b64encode(json.dumps([binding, keys, True]).encode()).decode().rstrip("=")
    assert rows.call("POST", "/query", {**body, "cursor": text}).status == 422
