"""The bucket: what a presigned post allows, and exact JSON."""

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from managed_tables.aws.storage import ObjectMissing, Storage
from managed_tables.object_keys import parse_upload_key, upload_key
from managed_tables.services import Services

COMPANY_ID = "5f0000000000000000000001"
KEY = upload_key(COMPANY_ID, "5f0000000000000000000003", 0, "csv")


@pytest.fixture
def storage(services: Services) -> Storage:
    return services.storage


def post(storage: Storage, body: bytes, expires_seconds: int = 60, **fields: Any) -> httpx.Response:
    form = storage.presigned_post(KEY, 5, expires_seconds)
    data: dict[str, Any] = {**form["fields"], **fields}
    return httpx.post(form["url"], data=data, files={"file": ("vendas.csv", body)})


def test_a_file_of_the_declared_size_is_accepted(storage: Storage) -> None:
    assert post(storage, b"a;b\n1").status_code == 204
    assert storage.read_range(KEY, 0, 2**30) == b"a;b\n1"


def test_a_browser_may_send_its_own_content_type(storage: Storage) -> None:
    assert post(storage, b"a;b\n1", **{"Content-Type": "text/csv"}).status_code == 204


@pytest.mark.parametrize(
    ("body", "fields"),
    [(b"a;b\n12", {}), (b"a", {}), (b"a;b\n1", {"key": KEY.replace("00.csv", "01.csv")})],
    ids=["longer", "shorter", "another key"],
)
def test_another_size_or_key_is_refused(storage: Storage, body: bytes, fields: dict[str, str]) -> None:
    assert 400 <= post(storage, body, **fields).status_code < 500


def test_a_form_that_has_expired_is_refused(storage: Storage) -> None:
    assert post(storage, b"a;b\n1", expires_seconds=-1).status_code == 403


def test_json_keeps_its_numbers(storage: Storage) -> None:
    value = {"a": [Decimal("0.10"), 2**63, None, "é"], "b": {"c": Decimal("1E-30")}}
    storage.put_json(KEY, value)
    assert storage.get_json(KEY) == value


def test_an_upload_is_downloaded_unchanged(storage: Storage, tmp_path: Path) -> None:
    content = bytes(range(256)) * 100_000
    storage.put(KEY, io.BytesIO(content))
    storage.download(KEY, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == content
    storage.delete(KEY)
    for read in (storage.get_json, lambda key: storage.download(key, tmp_path / "file")):
        with pytest.raises(ObjectMissing):
            read(KEY)


def test_only_our_own_upload_keys_are_parsed() -> None:
    assert parse_upload_key(KEY) == (COMPANY_ID, "5f0000000000000000000003")
    for key in ("uploads/x/y/00.csv", f"inbox/{COMPANY_ID}/x.csv", KEY + "/x", KEY.upper()):
        assert parse_upload_key(key) is None
