"""Lines of a job's files under its reading, from the bytes that analyze indexed."""

import io
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient
from upload_flow import BASE, declare, error_of, record

from managed_tables.aws.storage import Storage
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.services import ApiServices

TITLED = 'Relatório\n\nn;nome;valor\n1;Ana;2,50\n\n2;"Bia\nSouza";3,00\n3;Caio;4,00\n\nFonte: IBGE\n'


@pytest.fixture(autouse=True)
def own_temp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def analyzed(api: ApiServices, client: TestClient, name: str, content: bytes) -> str:
    """Return the id of a job whose only file has been analyzed."""
    body = {"files": [{"name": name, "size_bytes": len(content)}]}
    job_id = str(client.post(f"{BASE}/upload", json=body).json()["job_id"])
    job = record(api, client, job_id)
    api.storage.put(job.files[0].storage_path, io.BytesIO(content))
    assert analyze_job(api, job.company_id, job_id)["outcome"] == "analyzed"
    return job_id


def preview(client: TestClient, job_id: str, **query: Any) -> Any:
    answer = client.get(f"{BASE}/upload-jobs/{job_id}/preview", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds(found: Any) -> list[tuple[int, str]]:
    return [(line["line"], line["kind"]) for line in found["lines"]]


def test_every_line_of_a_text_file_has_its_kind_and_cells(api: ApiServices, client: TestClient) -> None:
    job_id = analyzed(api, client, "vendas.csv", TITLED.encode("cp1252"))
    found = preview(client, job_id)
    shape = [(1, "title"), (2, "blank"), (3, "header"), (4, "row"), (5, "blank"), (6, "row"), (8, "row")]
    assert kinds(found) == [*shape, (9, "blank"), (10, "footer")]
    assert found["lines"][0]["cells"] == ["Relatório"]
    assert found["lines"][5]["cells"] == ["2", "Bia\nSouza", "3,00"]
    assert (found["last_line"], found["columns"], found["truncated"]) == (10, 3, False)
    assert kinds(preview(client, job_id, from_line=4, lines=3)) == [(4, "row"), (5, "blank"), (6, "row")]
    assert preview(client, job_id, from_line=11)["lines"] == []


def test_distant_lines_of_a_large_file_are_found_by_the_index(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_bytes, read_range = [], Storage.read_range

    def counted(storage: Storage, key: str, first: int, last: int, etag: str | None) -> bytes:
        content = read_range(storage, key, first, last, etag)
        read_bytes.append(len(content))
        return content

    monkeypatch.setattr(Storage, "read_range", counted)
    rows = "".join(f"{number};nome {number};{number},50\r\n" for number in range(1, 60_001))
    job_id = analyzed(api, client, "vendas.csv", f"n;nome;valor\r\n{rows}".encode())
    for line in (2, 4_321, 30_000, 60_001):
        read_bytes.clear()
        [found] = preview(client, job_id, from_line=line, lines=1)["lines"]
        assert (found["line"], found["cells"][0]) == (line, str(line - 1))
        assert sum(read_bytes) <= 600_000  # one piece, whatever the file's size
    assert preview(client, job_id, from_line=60_000, lines=200)["last_line"] == 60_001


def test_distant_records_of_several_lines_are_cut_where_they_begin(
    api: ApiServices, client: TestClient
) -> None:
    rows = "".join(f'{number};"texto\nem duas linhas {number}"\n' for number in range(1, 20_001))
    job_id = analyzed(api, client, "textos.csv", f"n;texto\n{rows}".encode())
    found = preview(client, job_id, from_line=30_000, lines=4)["lines"]
    assert [line["cells"][0] for line in found] == ["15000", "15001"]
    assert found[0]["cells"][1] == "texto\nem duas linhas 15000"


def test_cells_are_shown_as_the_rows_have_them(api: ApiServices, client: TestClient) -> None:
    """Where delimiter, escape or encoding are none that every reader of CSV knows, and in lines left out."""
    quoted = 'n;"Nome; todo"\n1;Ana\n2;"Bia\r\nSouza"\n\n3;"Caio ""K"""\n'
    found = preview(client, analyzed(api, client, "a.csv", quoted.encode("utf-16")))["lines"]
    shown = [["n", "Nome; todo"], ["1", "Ana"], ["2", "Bia\r\nSouza"], [""], ["3", 'Caio "K"']]
    assert [line["cells"] for line in found] == shown
    rows = "".join(f"{number}||nome {number}||{number},5\n" for number in range(1, 5_000))
    job_id = analyzed(api, client, "b.csv", f"n||nome||valor\n{rows}".encode())
    [found] = preview(client, job_id, from_line=4_000, lines=1)["lines"]
    assert (found["line"], found["cells"]) == (4_000, ["3999", "nome 3999", "3999,5"])


def test_a_last_row_left_out_as_a_sum_is_shown_once(api: ApiServices, client: TestClient) -> None:
    """Also where cells of several lines have the rows copied: the sum is among the copy's rows."""
    rows = "".join(f'{number};"nome\n{number}";{number * 7}\n' for number in range(1, 11))
    job_id = analyzed(api, client, "vendas.csv", f"n;nome;valor\n{rows};;385\n\n".encode())
    assert kinds(preview(client, job_id, from_line=20)) == [(20, "row"), (22, "footer"), (23, "blank")]


def test_a_sheet_shows_all_rows_including_those_left_out(api: ApiServices, client: TestClient) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "Dados"
    for row in (["Vendas"], [], ["n", "texto"], [1, "a\nb"], [2, "c"], ["Total", None]):
        first.append(row)
    hidden = book.create_sheet("Oculta")
    hidden.append(["x", "y"])
    hidden.sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    job_id = analyzed(api, client, "vendas.xlsx", content.getvalue())
    found = preview(client, job_id, sheet="Dados")
    assert kinds(found) == [(1, "title"), (3, "header"), (4, "row"), (5, "row"), (6, "footer")]
    assert found["lines"][2]["cells"] == ["1", "a\nb"]
    assert found == preview(client, job_id)
    assert preview(client, job_id, sheet="Oculta")["lines"][0]["cells"] == ["x", "y"]


def test_members_of_an_archive_and_wide_encodings_are_shown(api: ApiServices, client: TestClient) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "n;nome\n1;Ana\n")
        archive.writestr("b.csv", "n;nome\n2;João\n".encode("utf-16"))
        archive.writestr("c.csv", "n;nome\r3;Caio\r")
    job_id = analyzed(api, client, "envio.zip", packed.getvalue())
    shown = [preview(client, job_id, file=file)["lines"][1] for file in range(3)]
    assert [line["cells"] for line in shown] == [["1", "Ana"], ["2", "João"], ["3", "Caio"]]
    assert {(line["line"], line["kind"]) for line in shown} == {(2, "row")}


def test_an_answer_is_bounded_and_says_so(api: ApiServices, client: TestClient) -> None:
    wide = ";".join(f"c{number}" for number in range(250)) + "\n" + ";".join(["1"] * 250) + "\n"
    found = preview(client, analyzed(api, client, "larga.csv", wide.encode()))
    assert (len(found["lines"][1]["cells"]), found["columns"], found["truncated"]) == (200, 250, True)
    long = "n;texto\n" + "".join(f"{number};{'x' * 60_000}\n" for number in range(300))
    job_id = analyzed(api, client, "longa.csv", long.encode())
    answer = client.get(f"{BASE}/upload-jobs/{job_id}/preview", params={"lines": 200})
    assert (len(answer.content) <= 1_048_576, answer.json()["truncated"]) == (True, True)


def test_an_unknown_place_is_refused(api: ApiServices, client: TestClient, company: ConnectionRecord) -> None:
    job_id = analyzed(api, client, "vendas.csv", TITLED.encode())
    path = f"{BASE}/upload-jobs/{job_id}/preview"
    for query, code in (
        ({"file": 1}, "UNKNOWN_FILE"),
        ({"sheet": "Dados"}, "UNKNOWN_SHEET"),
        ({"lines": 201}, "TOO_LARGE"),
        ({"lines": 0}, "TOO_SMALL"),
        ({"from_line": 0}, "TOO_SMALL"),
        ({"line": 1}, "UNKNOWN_PARAMETER"),
    ):
        body = client.get(path, params=query).json()  # type: ignore[arg-type]
        assert body["details"][0]["code"] == code, body
    queued = declare(client).json()["job_id"]
    error_of(client.get(f"{BASE}/upload-jobs/{queued}/preview"), 400, "JOB_NOT_WAITING_CONFIRM")
    error_of(client.get(f"{BASE}/upload-jobs/{company.company_id}/preview"), 404, "JOB_NOT_FOUND")


def test_a_file_that_was_replaced_after_its_analysis_is_neither_shown_nor_read(
    api: ApiServices, client: TestClient
) -> None:
    """A presigned post holds for an hour: what was analysed counts, until the same bytes are there again."""
    content = TITLED.replace("\nSouza", " Souza").encode("cp1252")  # lines that are shown from the upload
    job_id = analyzed(api, client, "vendas.csv", content)
    shown = preview(client, job_id)
    job = record(api, client, job_id)
    path = f"{BASE}/upload-jobs/{job_id}"
    api.storage.put(job.files[0].storage_path, io.BytesIO(b"x" * len(content)))
    error_of(client.get(f"{path}/preview"), 409, "FILES_CHANGED")
    key = {"pk": f"COMPANY#{job.company_id}", "sk": f"JOB#{job_id}"}
    api.items.change(key, {"status": "waiting_confirm"})
    assert client.post(f"{path}/reanalyze", json={"tables": [{"file": 0}]}).status_code == 200
    assert analyze_job(api, job.company_id, job_id)["outcome"] == "analyzed"
    api.items.change(key, {"status": "waiting_confirm"})
    again = client.get(path).json()
    assert again["error"]["code"] == "FILES_CHANGED"
    assert again["inferred_schema"]["total_row_count_estimate"] == 3
    api.storage.put(job.files[0].storage_path, io.BytesIO(content))
    assert preview(client, job_id) == shown
