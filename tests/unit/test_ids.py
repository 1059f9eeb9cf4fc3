"""Ids sort by creation."""

from managed_tables.ids import is_record_id, new_record_id, row_ids


def test_record_ids_are_24_hex_digits_in_order_of_creation() -> None:
    made = [new_record_id() for _ in range(70_000)]
    assert made == sorted(set(made))
    assert all(is_record_id(one) for one in made)


def test_row_ids_are_uuid_version_7_in_order_of_rows() -> None:
    made = list(row_ids(1_700_000_000_000, 3_000))
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert made[0].int >> 80 == 1_700_000_000_000
