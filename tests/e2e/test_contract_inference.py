"""The clarifications, "Uploads" and "What inference must get right": one upload exercises many facts.

tests/files and the unit tests of analyze cover the rules one by one, with their awkward cases.
"""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

import pytest
from client import Console, column
from table_writers import write_sheets
from zipping import zipped

pytestmark = pytest.mark.flow

# header, inferred type, nullable, three cells
COLUMNS: tuple[tuple[str, str, bool, tuple[str, str, str]], ...] = (
    ("Inteiro", "integer", False, ("1", "-2", "+3")),
    ("Milhares", "integer", False, ("1.234.567", "12.345.678", "1.000.000")),
    ("Limite", "integer", False, ("9223372036854775807", "-9223372036854775808", "0")),
    ("Além", "decimal", False, ("9223372036854775808", "1", "2")),
    ("CEP", "text", False, ("01310100", "20040002", "30130010")),
    ("Código", "text", False, ("007", "12", "13")),
    ("CPF", "text", False, ("12345678901", "98765432100", "11122233344")),
    ("Preço Médio (R$)", "decimal", False, ("R$ 1.234,56", "-35,01", "(35,01)")),
    ("Expoente", "decimal", False, ("1,5e3", "2E-2", "3")),
    ("Nota", "text", False, ("NaN", "1", "2")),
    ("Verdade", "boolean", False, ("verdadeiro", "falso", "VERDADEIRO")),
    ("Sim", "boolean", False, ("sim", "não", "nao")),
    ("Letra", "boolean", False, ("s", "n", "S")),
    ("Sexo", "text", False, ("F", "F", "F")),
    ("Bit", "integer", False, ("0", "1", "1")),
    ("Dia", "date", False, ("31/12/2025", "01/02/2026", "28/02/2026")),
    ("Mês primeiro", "date", False, ("01/13/2026", "02/03/2026", "12/31/2025")),
    ("Curta", "date", False, ("31/12/68", "31/12/69", "01/01/99")),
    ("Momento", "datetime", False, ("15/01/2026 10:30", "15/01/2026 10:30:05", "15/01/2026T10:30:00-03:00")),
    ("Instante", "datetime", False, ("2026-01-15T10:30:00Z", "2026-01-15 10:30:00.25", "2026-01-15T10:30")),
    ("Vazio", "integer", True, ("1", "", "3")),
    ("Nulo", "integer", True, ("N/A", "2", "-")),
    ("Traço", "text", False, ("a", "-", "N/A")),
    ("Espaços", "text", False, ("a b", "c; d", 'e "f"')),
    ("", "text", False, ("x", "y", "z")),
    ("id", "integer", False, ("7", "8", "9")),
    ("2024", "integer", False, ("1", "2", "3")),
    ("Sim", "integer", False, ("4", "5", "6")),
)
NAMES = {
    "Preço Médio (R$)": "preco_medio_r",
    "Além": "alem",
    "id": "id_original",
    "2024": "_2024",
    "Traço": "traco",
}


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in ';"') else cell


def csv_of(columns: Sequence[tuple[str, str, bool, tuple[str, str, str]]]) -> str:
    lines = [[header for header, *_ in columns], *zip(*(cells for *_, cells in columns), strict=True)]
    return "".join(";".join(map(quoted, line)) + "\r\n" for line in lines)


def values(company: Console, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a job's table without their ids."""
    return [
        {name: value for name, value in row.items() if name != "id"}
        for row in company.rows(job["user_table_id"])
    ]


def test_one_file_with_every_kind_of_column(company: Console) -> None:
    """Names, types and nullability of the inferred columns; the labels are the headers as written."""
    job = company.analyzed({"tudo.csv": csv_of(COLUMNS).encode("cp1252")})
    inferred = job["inferred_schema"]["columns"]
    for (header, type_, nullable, _), got in zip(COLUMNS, inferred, strict=True):
        assert (header, got["type"], got["nullable"]) == (header, type_, nullable)
        if header:
            assert got["display_name"] == header
    by_header = {got["display_name"]: got["name"] for got in inferred}
    assert {header: by_header[header] for header in NAMES} == NAMES
    [blank] = [got for (header, *_), got in zip(COLUMNS, inferred, strict=True) if not header]
    number = 1 + [header for header, *_ in COLUMNS].index("")
    assert (blank["name"], blank["display_name"]) == (f"coluna_{number}", f"coluna_{number}")
    assert [got["name"] for got in inferred if got["display_name"] == "Sim"] == ["sim", "sim_2"]


def test_the_values_arrive_in_their_types(company: Console) -> None:
    """Values are stored in the inferred types: marks, signs, dates, zones and NULLs are understood."""
    first, second, third = values(company, company.loaded({"tudo.csv": csv_of(COLUMNS)}))
    assert first["limite"] == 9_223_372_036_854_775_807
    assert first["milhares"] == 1_234_567
    assert (first["cep"], first["codigo"]) == ("01310100", "007")
    assert [str(row["preco_medio_r"]) for row in (first, second, third)] == ["1234.56", "-35.01", "-35.01"]
    assert [row["expoente"] for row in (first, third)] == [1_500, 3]
    assert [row["sim"] for row in (first, second, third)] == [True, False, False]
    assert [row["dia"] for row in (first, second)] == ["2025-12-31", "2026-02-01"]
    assert [row["mes_primeiro"] for row in (first, second)] == ["2026-01-13", "2026-02-03"]
    assert [row["curta"] for row in (first, second, third)] == ["2068-12-31", "1969-12-31", "1999-01-01"]
    assert [row["momento"] for row in (first, third)] == ["2026-01-15T13:30:00Z", "2026-01-15T13:30:00Z"]
    assert second["instante"] == "2026-01-15T13:30:00.25Z"
    assert [row["vazio"] for row in (first, second, third)] == [1, None, 3]
    assert [row["nulo"] for row in (first, second, third)] == [None, 2, None]
    assert [row["traco"] for row in (first, second, third)] == ["a", "-", "N/A"]
    assert third["espacos"] == 'e "f"'


def test_warnings_are_data(company: Console) -> None:
    """The job lists all warnings, columns' warnings included, those that may change a value first."""
    job = company.analyzed({"a.csv": "Relatório\n\nnome;valor\na;1.234\nb;5.678\nc;9.000;x\n"})
    codes = [warning["code"] for warning in job["warnings"]]
    assert sorted(codes) == ["AMBIGUOUS_MARK", "LINES_ABOVE", "LONG_ROWS"]
    assert codes[-1] == "LINES_ABOVE"
    mark = next(warning for warning in job["warnings"] if warning["code"] == "AMBIGUOUS_MARK")
    assert '"1.234" pode ser 1234 ou 1,234' in mark["text"]
    assert mark["columns"] == ["valor"]
    valor = job["inferred_schema"]["columns"][1]["inference"]
    assert valor["warnings"] == [mark]
    assert valor["confidence"] < 1
    above = job["warnings"][-1]
    assert (above["file"], above["lines"], above["count"]) == ("a.csv", [1], 1)


DOUBTFUL = (
    "Nascimento;pedido;envio;mes;taxa\n"
    "03/15/45;03/02/2024;03/22/2024;jan/24;87,5%\n"
    "02/01/99;04/05/2024;04/06/2024;fev/24;25%\n"
)


def test_doubtful_values_load_as_shown(company: Console) -> None:
    """The table's rows are the sample shown in the review."""
    done = company.loaded({"a.csv": DOUBTFUL})
    assert values(company, done) == [
        {
            "nascimento": "1945-03-15",
            "pedido": "2024-03-02",
            "envio": "2024-03-22",
            "mes": "2024-01-01",
            "taxa": 0.875,
        },
        {
            "nascimento": "1999-02-01",
            "pedido": "2024-04-05",
            "envio": "2024-04-06",
            "mes": "2024-02-01",
            "taxa": 0.25,
        },
    ]


def test_the_suggested_name_is_free(company: Console) -> None:
    """`suggested_table_name` comes from the first file's name, made valid and free."""
    company.create_table("vendas_marco")
    job = company.analyzed({"Vendas Março.csv": "a\n1\n", "outras.csv": "a\n2\n"})
    assert job["inferred_schema"]["suggested_table_name"] == "vendas_marco_2"


def test_all_files_feed_one_table(company: Console) -> None:
    """Columns are matched by normalized header; one missing from a file is NULL there, and nullable."""
    done = company.loaded({"a.csv": "Preço;Nome\n1;a\n", "b.csv": "nome;preco;Cor\nb;2;azul\n"})
    inferred = done["inferred_schema"]["columns"]
    assert {one["name"]: one["nullable"] for one in inferred} == {"preco": False, "nome": False, "cor": True}
    assert values(company, done) == [
        {"preco": 1, "nome": "a", "cor": None},
        {"preco": 2, "nome": "b", "cor": "azul"},
    ]


def test_a_workbook_and_its_sheets(company: Console) -> None:
    """Sheets with matching headers are read one after another; Excel's dates and numbers arrive typed."""
    header = ("Produto", "Valor", "Dia", "Momento")
    done = company.loaded(
        {
            "vendas.xlsx": write_sheets(
                Jan=[header, ("Café", 1.5, date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5))],
                Vazia=[],
                Fev=[header, ("Chá", 2, date(2026, 2, 1), datetime(2026, 2, 1))],
            )
        }
    )
    assert [one["code"] for one in done["warnings"]] == ["JOINED_SHEETS"]
    assert values(company, done) == [
        {"produto": "Café", "valor": 1.5, "dia": "2026-01-02", "momento": "2026-01-02T06:04:05Z"},
        {"produto": "Chá", "valor": 2, "dia": "2026-02-01", "momento": "2026-02-01T03:00:00Z"},
    ]


def test_an_error_in_a_workbook_names_sheet_and_row(company: Console) -> None:
    """`details` of a workbook name the sheet, and `line` is its row."""
    sheets = {"Jan": [("Nome", "Valor"), ("a", "1")], "Fev": [("Nome", "Valor"), ("b", "2"), ("c", "x")]}
    job = company.analyzed({"vendas.xlsx": write_sheets(**sheets)})
    assert company.confirm(job, "vendas", [column("nome"), column("valor", "integer")]).status == 200
    [detail] = company.wait(job["_id"], "waiting_confirm")["error"]["details"]
    assert {name: detail[name] for name in ("file", "sheet", "line", "column", "value")} == {
        "file": "vendas.xlsx",
        "sheet": "Fev",
        "line": 3,
        "column": "valor",
        "value": "x",
    }


def test_a_zip_of_files_in_folders(company: Console) -> None:
    """A ZIP may hold the other kinds, in folders; `__MACOSX/`, dotfiles and folders are skipped."""
    content = zipped(
        {
            "pasta/": "",
            "pasta/a.csv": "nome;valor\na;1\n",
            "pasta/fundo/b.xlsx": write_sheets(Folha=[("Nome", "Valor"), ("b", 2)]),
            "sem_extensao": "nome;valor\nc;3\n",
            "__MACOSX/pasta/._a.csv": b"\x00\x05\x16\x07",
            ".DS_Store": b"\x00\x00\x00\x01Bud1",
        }
    )
    done = company.loaded({"tudo.zip": content})
    got = {(row["nome"], row["valor"]) for row in values(company, done)}
    assert got == {("a", 1), ("b", 2), ("c", 3)}


def encrypted() -> bytes:
    """Return a ZIP whose entry is marked as encrypted (bit 0 of its flags, in both headers)."""
    content = bytearray(zipped({"a.csv": "a\n1\n"}))
    content[content.index(b"PK\x03\x04") + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def many_entries() -> bytes:
    return zipped({f"{number}.csv": "a\n1\n" for number in range(1_001)})


def bomb() -> bytes:
    """Return a ZIP of a few MB that unpacks to more than 1 GiB."""
    stream, chunk = io.BytesIO(), b"0" * (16 * 1_048_576)
    packed = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with packed as zipped, zipped.open("a.csv", "w", force_zip64=True) as member:
        for _ in range(65):
            member.write(chunk)
    return stream.getvalue()


@pytest.mark.parametrize("hostile", [encrypted, many_entries, bomb])
def test_a_hostile_zip_fails(company: Console, hostile: Callable[[], bytes]) -> None:
    """Encrypted entries, more than 1,000 entries and more than 1 GiB unpacked fail the job."""
    job = company.wait(company.upload_presigned({"tudo.zip": hostile()}), "failed")
    assert "tudo.zip" in f"{job['error']['message']} {job['error']['details']}"
