"""Ids sort by creation; a user's may come from a UUID."""

import hashlib

import pytest

from managed_tables.ids import is_record_id, new_record_id, user_id_of


def test_a_uuid_is_one_user_of_24_hex_digits() -> None:
    """The derivation is written in docs/security.md: other systems must find the same user."""
    uuid = "3F2504E0-4F89-11D3-9A0C-0305E82C3301"
    assert (
        user_id_of(uuid) == user_id_of(uuid.lower()) == hashlib.sha256(uuid.lower().encode()).hexdigest()[:24]
    )
    assert user_id_of("A" * 24) == "a" * 24
    for other in (uuid.replace("-", ""), f"{{{uuid}}}", uuid + "\n", "auth0|1", "٣" + uuid[1:]):
        with pytest.raises(ValueError, match="sub"):
            user_id_of(other)


def test_record_ids_are_24_hex_digits_in_order_of_creation() -> None:
    made = [new_record_id() for _ in range(70_000)]
    assert made == sorted(set(made))
    assert all(is_record_id(one) for one in made)
