"""The contract, "File upload", up to the job's first status: two ways to upload, refusals, checks by S3."""

import base64
import io
import json
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from client import Answer, Console, column, new_id, plain

MB = 1_048_576
CSV = b"produto\nX\n"


def files(*contents: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", content) for content in contents]


def declare(company: Console, *declared: tuple[str, object], **more: object) -> Answer:
    """Ask for presigned posts for files with these names and sizes."""
    named = [{"name": name, "size_bytes": size} for name, size in declared]
    return company.call("POST", "/upload", {"files": named, **more})


def active(company: Console) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = company.ok("GET", "/upload-jobs/active")["records"]
    return records


def policy(upload: dict[str, Any]) -> dict[str, Any]:
    """Return the policy document in a presigned post."""
    decoded: dict[str, Any] = json.loads(base64.b64decode(upload["fields"]["policy"]))
    return decoded


def workbook() -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["produto"])
    sheet.append(["X"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# --- two ways in --------------------------------------------------------------------------------------
def test_multipart_makes_a_queued_job(company: Console) -> None:
    """`multipart/form-data` with the field `files` is 201 with `job_id` and `status: "queued"`."""
    answer = company.call("POST", "/upload", files=files(("vendas.csv", CSV)))
    assert answer.status == 201
    assert set(answer.json) == {"job_id", "status"}
    assert answer.json["status"] == "queued"
    assert company.job(answer.json["job_id"])["_id"] == answer.json["job_id"]
    assert len(answer.json["job_id"]) == 24


def test_declared_files_get_a_presigned_post_each(company: Console) -> None:
    """`application/json` is 201 with the same two fields and `uploads`: name, URL and fields of each file."""
    answer = declare(company, ("vendas.csv", 12_345), ("outras.csv", 7))
    assert answer.status == 201
    assert set(answer.json) == {"job_id", "status", "uploads"}
    assert answer.json["status"] == "queued"
    assert [upload["name"] for upload in answer.json["uploads"]] == ["vendas.csv", "outras.csv"]
    assert all(set(upload) == {"name", "url", "fields"} for upload in answer.json["uploads"])
    assert all(isinstance(value, str) for value in answer.json["uploads"][0]["fields"].values())


def test_a_presigned_post_is_bound(company: Console) -> None:
    """A presigned post is bound to its key, to the exact declared size and to an expiry."""
    [upload] = declare(company, ("vendas.csv", 12_345)).json["uploads"]
    bound = policy(upload)
    assert datetime.fromisoformat(bound["expiration"]) > datetime.now(UTC)
    assert ["content-length-range", 12_345, 12_345] in bound["conditions"]
    assert any(
        condition in ({"key": upload["fields"]["key"]}, ["eq", "$key", upload["fields"]["key"]])
        for condition in bound["conditions"]
    )


@pytest.mark.parametrize("content", [b"produto\nXY\n", b"produto\nX"], ids=["longer", "shorter"])
def test_s3_refuses_another_size(company: Console, content: bytes) -> None:
    """S3 refuses a file of another size than declared, and the job keeps waiting."""
    answer = declare(company, ("vendas.csv", len(CSV))).json
    assert company.post_to_s3(answer["uploads"][0], content).status_code >= 400
    assert company.job(answer["job_id"])["status"] == "queued"


def test_s3_refuses_another_key(company: Console) -> None:
    """A presigned post cannot write to another key."""
    [upload] = declare(company, ("vendas.csv", len(CSV))).json["uploads"]
    stolen = upload | {"fields": upload["fields"] | {"key": f"uploads/{new_id()}/x/00.csv"}}
    assert company.post_to_s3(stolen, CSV).status_code >= 400


def test_the_key_holds_none_of_the_users_text(company: Console) -> None:
    """A file's name is kept as written, and S3's key does not contain it."""
    name = "Preços & vendas 😀.csv"
    answer = declare(company, (name, 7)).json
    [file] = company.job(answer["job_id"])["files"]
    assert file["original_name"] == name
    assert file["storage_path"] == answer["uploads"][0]["fields"]["key"]
    assert "vendas" not in file["storage_path"]


@pytest.mark.flow
def test_the_last_arrival_starts_the_job(company: Console) -> None:
    """While a file is missing, the job stays queued; the last one to arrive starts it."""
    answer = declare(company, ("a.csv", len(CSV)), ("b.csv", len(CSV))).json
    first, last = answer["uploads"]
    company.post_to_s3(last, CSV).raise_for_status()
    whole = company.wait(company.upload({"c.csv": CSV}), "waiting_confirm")
    assert whole["status"] == "waiting_confirm"  # a later job has already been analyzed
    assert company.job(answer["job_id"])["status"] == "queued"
    company.post_to_s3(first, CSV).raise_for_status()
    job = company.wait(answer["job_id"], "waiting_confirm")
    assert job["inferred_schema"]["total_row_count_estimate"] == 2


@pytest.mark.flow
def test_both_ways_make_the_same_job(company: Console) -> None:
    """Multipart and presigned posts make the same kind of job with the same content."""
    content = "produto;preço\nCafé;1,50\n"
    jobs = [
        company.wait(job_id, "waiting_confirm")
        for job_id in (
            company.upload({"vendas.csv": content}),
            company.upload_presigned({"vendas.csv": content}),
        )
    ]
    assert jobs[0]["inferred_schema"] == jobs[1]["inferred_schema"]
    assert jobs[0].keys() == jobs[1].keys()
    assert [job["files"][0]["size_bytes"] for job in jobs] == [len(content.encode())] * 2


# --- the target and the mode --------------------------------------------------------------------------
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "multipart"])
@pytest.mark.parametrize(("mode", "kept"), [(None, "append"), ("append", "append"), ("replace", "replace")])
def test_an_upload_into_a_table(company: Console, mode: str | None, kept: str, declared: bool) -> None:
    """`mode` is `append` unless given as `replace`; the job has its table's id."""
    table_id = company.create_table()["_id"]
    way = company.upload_presigned if declared else company.upload
    job = company.job(way({"vendas.csv": CSV}, table_id, mode))
    assert (job["mode"], job["user_table_id"]) == (kept, table_id)


def test_an_upload_of_a_new_table_has_mode_create(company: Console) -> None:
    """Without a table in the path the mode is `create`, and `user_table_id` null."""
    job = company.job(declare(company, ("a.csv", 1)).json["job_id"])
    assert (job["mode"], job["user_table_id"]) == ("create", None)


@pytest.mark.parametrize("mode", ["delete", "", "APPEND", "create"])
def test_another_mode_is_refused(company: Console, mode: str) -> None:
    """Any other `mode` is 422, both ways."""
    path = f"/{company.create_table()['_id']}/upload"
    assert company.call("POST", path, files=files(("a.csv", CSV)), data={"mode": mode}).status == 422
    body = {"files": [{"name": "a.csv", "size_bytes": 1}], "mode": mode}
    assert company.call("POST", path, body).status == 422


def test_an_upload_into_an_unknown_table(company: Console) -> None:
    """An upload into a table that does not exist is 404."""
    answer = company.call("POST", f"/{new_id()}/upload", files=files(("a.csv", CSV)))
    assert (answer.status, answer.error) == (404, "Tabela não encontrada")


# --- what is refused ----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.xlsx", "a.xls", "a.zip", "a.b.csv"])
def test_the_four_extensions_are_accepted(company: Console, name: str) -> None:
    """`.csv`, `.xlsx`, `.xls` and `.zip` are accepted."""
    assert declare(company, (name, 1)).status == 201


@pytest.mark.parametrize("name", ["a.pdf", "a", "csv", "a.csv.exe", "", "a.", ".", "a.csv/"])
def test_another_extension_is_refused(company: Console, name: str) -> None:
    """An unknown extension is 422 before anything is stored."""
    assert declare(company, ("boa.csv", 1), (name, 1)).status == 422
    assert active(company) == []


@pytest.mark.parametrize(("count", "status"), [(0, 422), (1, 201), (10, 201), (11, 422)])
def test_1_to_10_declared_files(company: Console, count: int, status: int) -> None:
    """An upload has one to ten files: none, or eleven, are 422."""
    assert declare(company, *((f"{number}.csv", 1) for number in range(count))).status == status
    assert len(active(company)) == (status == 201)


@pytest.mark.parametrize(("count", "status"), [(10, 201), (11, 422)])
def test_1_to_10_files_in_a_form(company: Console, count: int, status: int) -> None:
    """The field `files` can be repeated ten times: eleven are 422, and nothing is stored."""
    sent = files(*((f"{number}.csv", CSV) for number in range(count)))
    assert company.call("POST", "/upload", files=sent).status == status
    assert [len(job["files"]) for job in active(company)] == ([10] if status == 201 else [])


@pytest.mark.parametrize("size", [0, -1, 1.5, "1", None, True])
def test_an_empty_declared_file_is_refused(company: Console, size: object) -> None:
    """A declared size of zero, or anything but a size, is 422."""
    assert declare(company, ("boa.csv", 1), ("a.csv", size)).status == 422
    assert active(company) == []


@pytest.mark.parametrize(
    ("sizes", "status"),
    [((100 * MB,), 201), ((100 * MB + 1,), 413), ((50 * MB, 50 * MB), 201), ((50 * MB, 50 * MB + 1), 413)],
)
def test_100_mb_in_total(company: Console, sizes: tuple[int, ...], status: int) -> None:
    """100 MB in total, a MB being 1,048,576 bytes: one byte more is 413 and nothing is stored."""
    assert declare(company, *((f"{n}.csv", size) for n, size in enumerate(sizes))).status == status
    assert len(active(company)) == (status == 201)


@pytest.mark.flow
def test_100_mb_in_a_form(served_company: Console) -> None:
    """The ASGI server accepts the full 100 MB by multipart: more is 413, and nothing is stored."""
    half = b"x" * (50 * MB)
    sent = files(("a.csv", half), ("b.csv", half + b"x"))
    assert served_company.call("POST", "/upload", files=sent).status == 413
    assert active(served_company) == []


@pytest.mark.parametrize(
    "body", [{}, {"files": {}}, {"files": ["a.csv"]}, {"files": [{"name": "a.csv"}]}, []]
)
def test_a_wrong_declaration_is_refused(company: Console, body: object) -> None:
    """A declaration in another shape is 422."""
    assert company.call("POST", "/upload", body).status == 422


def test_another_content_type_is_refused(company: Console) -> None:
    """A body that is neither form data nor JSON is 422."""
    headers = {"Content-Type": "text/csv"}
    assert company.call("POST", "/upload", content=CSV, headers=headers).status == 422


# --- what the file really is --------------------------------------------------------------------------
@pytest.mark.flow
@pytest.mark.parametrize(
    ("name", "content"),
    [("vendas.csv", workbook()), ("vendas.xlsx", CSV)],
    ids=["workbook named csv", "text named xlsx"],
)
def test_a_file_is_read_by_its_content(company: Console, name: str, content: bytes) -> None:
    """A `.csv` that is really an XLSX, and the reverse, is read by its content; bytes arrive unchanged."""
    job = company.analyzed({name: content})
    expected = column("produto", nullable=False) | {"display_name": "produto"}
    assert plain(job["inferred_schema"]["columns"]) == [expected]
    assert job["inferred_schema"]["sample_rows"] == [{"produto": "X"}]
    assert job["files"][0]["size_bytes"] == len(content)


def test_a_table_created_by_hand_is_not_an_upload(company: Console) -> None:
    """`source` is `manual` for a table that was not uploaded."""
    assert company.create_table("a", column("b"))["source"] == "manual"
