"""Cases of ZIP files, of Parquet, and of files that are not tables."""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import xlsx_writing as x
from case import Case, case

AB = "a:integer b:text"
CSV = "a,b\n1,x\n2,y\n"
MORE = "a;b\n3;z\n"
ROWS = "1|x\n2|y"


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from archives()
    yield from refused_archives()
    yield from no_tables()
    yield from parquet()


def packed(content: str | bytes) -> bytes:
    """Return the content gzipped, always as the same bytes."""
    return gzip.compress(content.encode() if isinstance(content, str) else content, mtime=0)


def archives() -> Iterator[Case]:
    """What a ZIP may hold."""
    workbook = x.xlsx(x.sheet([["a", "b"], [3, "z"]]))
    yield case("zip/one.zip", x.zipped({"dados.csv": CSV}), "one file", AB, ROWS, lines=[2, 3])
    yield case(
        "zip/two.zip",
        x.zipped({"1.csv": CSV, "2.csv": MORE}),
        "two files of one header, each in its dialect",
        AB,
        "1|x\n2|y\n3|z",
    )
    yield case(
        "zip/csv_and_xlsx.zip",
        x.zipped({"1.csv": CSV, "2.xlsx": workbook}),
        "kinds may differ",
        AB,
        "1|x\n2|y\n3|z",
    )
    yield case(
        "zip/folders.zip",
        x.zipped({"2024/": "", "2024/jan/1.csv": CSV, "2024/fev/2.csv": MORE}),
        "folders",
        AB,
        "1|x\n2|y\n3|z",
    )
    yield case(
        "zip/noise.zip",
        x.zipped({"__MACOSX/._1.csv": b"\0\1", ".DS_Store": b"\0", "1.csv": CSV}),
        "what systems add is passed over",
        AB,
        ROWS,
    )
    yield case("zip/no_extension.zip", x.zipped({"DADOS": CSV}), "judged by content", AB, ROWS)
    yield case(
        "zip/encodings.zip",
        x.zipped({"1.csv": "nome,v\nJosé,1\n".encode("cp1252"), "2.csv": "nome,v\nAção,2\n".encode()}),
        "each file in its encoding",
        "nome:text v:integer",
        "José|1\nAção|2",
    )
    yield case(
        "zip/other_columns.zip",
        x.zipped({"1.csv": CSV, "2.csv": "b,c\nz,9\n"}),
        "columns are matched by name; what a file lacks is NULL",
        "a:integer? b:text c:integer?",
        "1|x|∅\n2|y|∅\n∅|z|9",
    )
    yield case(
        "zip/other_order.zip",
        x.zipped({"1.csv": CSV, "2.csv": "b,a\nz,3\n"}),
        "by name, not by place",
        AB,
        "1|x\n2|y\n3|z",
    )
    yield case(
        "zip/labels_in_other_case.zip",
        x.zipped({"1.csv": "Código,Nome\n1,x\n2,y\n", "2.csv": "CODIGO,nome\n3,z\n"}),
        "headers agree when normalised",
        "codigo:text nome:text",
        "1|x\n2|y\n3|z",
        labels=["Código", "Nome"],
    )
    yield case(
        "zip/type_by_all_files.zip",
        x.zipped({"1.csv": CSV, "2.csv": "a,b\n3A,z\n"}),
        "every row of every file is judged",
        "a:text b:text",
        "1|x\n2|y\n3A|z",
    )
    yield case("zip/gzipped.csv.gz", packed(CSV), "a text, gzipped", AB, ROWS, lines=[2, 3])
    yield case(
        "zip/gzipped_member.zip",
        x.zipped({"1.csv.gz": packed(CSV), "2.csv": MORE}),
        "a gzipped text in a ZIP",
        AB,
        "1|x\n2|y\n3|z",
    )
    lines = packed('{"id": 1, "nome": "Ana"}\n{"nome": "Bia", "id": 2}\n')
    listed = '[{"id": 1, "nome": "Ana"}, {"nome": "Bia", "id": 2}]'
    for name, content, why, rows in (
        ("lines.jsonl.gz", lines, "gzipped", "1|Ana\n2|Bia"),
        (
            "in.zip",
            x.zipped({"1.json": listed, "2.jsonl.gz": lines}),
            "in a ZIP",
            "1|Ana\n2|Bia\n1|Ana\n2|Bia",
        ),
    ):
        yield case(f"json/{name}", content, why, "id_original:integer nome:text", rows, labels=["id", "nome"])
    yield case("zip/named.csv", x.zipped({"1.csv": CSV}), "a ZIP named .csv is a ZIP", AB, ROWS)


def refused_archives() -> Iterator[Case]:
    """What a ZIP may not hold."""
    yield case(
        "zip/nested.zip",
        x.zipped({"1.csv": CSV, "2.zip": x.zipped({"3.csv": CSV})}),
        "a ZIP in a ZIP",
        error="ARCHIVE_NESTED",
    )
    yield case(
        "zip/nested_unnamed.zip",
        x.zipped({"dados": x.zipped({"3.csv": CSV})}),
        "by content too",
        error="ARCHIVE_NESTED",
    )
    yield case(
        "zip/pdf_inside.zip",
        x.zipped({"1.csv": CSV, "leia.pdf": b"%PDF-1.7\n"}),
        "another kind of file is named, not passed over",
        error="ARCHIVE_MEMBERS_REFUSED",
        message="leia.pdf",
    )
    yield case(
        "zip/picture_inside.zip",
        x.zipped({"1.csv": CSV, "logo": b"\x89PNG\r\n\x1a\n" + bytes(40)}),
        "by content too",
        error="ARCHIVE_MEMBERS_REFUSED",
        message="logo",
    )
    yield case(
        "zip/many_entries.zip",
        stored([(f"{number}", b"") for number in range(1_001)]),
        "more than 1,000 entries",
        error="ARCHIVE_TOO_MANY_ENTRIES",
    )
    yield case("zip/empty.zip", x.zipped({}), "nothing in it", error="ARCHIVE_EMPTY")
    yield case(
        "zip/only_noise.zip",
        x.zipped({"__MACOSX/._1.csv": b"\0"}),
        "nothing but what systems add",
        error="ARCHIVE_EMPTY",
    )
    encrypted = bytearray(stored([("1.csv", CSV.encode())]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + offset] |= 1
    yield case("zip/encrypted.zip", bytes(encrypted), "a password", error="ARCHIVE_ENCRYPTED")
    good = x.zipped({"1.csv": CSV * 200})
    yield case("zip/truncated.zip", good[: len(good) // 2], "half a file", error="ARCHIVE_CORRUPT")
    flipped = bytearray(stored([("1.csv", CSV.encode())]))
    flipped[flipped.index(b"1,x")] ^= 0x01
    yield case("zip/wrong_checksum.zip", bytes(flipped), "bytes that have changed", error="ARCHIVE_CORRUPT")


def stored(entries: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a ZIP of uncompressed entries."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, part in entries:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part)
    return content.getvalue()


def no_tables() -> Iterator[Case]:
    """Files that are not tables."""
    yield case("refused/empty.csv", b"", "no byte", error="FILE_EMPTY")
    yield case("refused/blank_lines.csv", "\n\n \n", "no cell", error="FILE_EMPTY")
    yield case("refused/mark_only.csv", b"\xef\xbb\xbf", "a byte order mark and nothing", error="FILE_EMPTY")
    yield case("refused/empty.xlsx", b"", "no byte", error="FILE_EMPTY")
    yield case(
        "refused/pdf.csv",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n",
        "a PDF",
        error="FILE_KIND_REFUSED",
        message="PDF",
    )
    yield case(
        "refused/picture.csv",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        "a picture",
        error="FILE_KIND_REFUSED",
        message="PNG",
    )
    yield case("zip/gzip_cut.csv.gz", packed(CSV)[:-9], "a gzip that ends too early", error="ARCHIVE_CORRUPT")
    yield case("zip/gzip_of_gzip.gz", packed(packed(CSV)), "a gzip in a gzip", error="ARCHIVE_NESTED")
    yield case("zip/gzip_of_nothing.gz", packed(""), "a gzip of nothing", error="FILE_EMPTY")
    yield case(
        "refused/xml.csv",
        '<?xml version="1.0"?><notas><nota id="1"/></notas>',
        "XML that is no spreadsheet",
        error="FILE_KIND_REFUSED",
        message="XML",
    )
    yield case("refused/rtf.csv", "{\\rtf1\\ansi texto}", "RTF", error="FILE_KIND_REFUSED", message="RTF")
    yield case(
        "refused/sqlite.csv",
        b"SQLite format 3\0" + bytes(84),
        "a database",
        error="FILE_KIND_REFUSED",
        message="SQLite",
    )
    yield case(
        "refused/seven_zip.zip",
        b"7z\xbc\xaf\x27\x1c" + bytes(40),
        "another archive",
        error="FILE_KIND_REFUSED",
        message="7-Zip",
    )
    records = [
        f"{bank:03}00001{'':9}212345678000195{'':20}{account:013} {name:30}{'BANCO':30}{'':10}"
        for bank, account, name in ((1, 12345, "EMPRESA MODELO LTDA"), (1, 9, "SILVA"), (1, 777, ""))
    ]
    yield case(
        "refused/fixed_width.txt",
        "".join(f"{record:240}\r\n" for record in records),
        "a bank's file of records of fixed width, whose fields only its manual tells",
        error="FILE_NOT_TABULAR",
        message="alinhadas",
    )
    noise = bytes((number * 7_919 + number // 3) % 256 for number in range(4_096))
    yield case("refused/noise.csv", noise, "no text in any encoding", error="FILE_NOT_TABULAR")
    document = x.zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": "<document/>"})
    yield case("refused/document.xlsx", document, "a document of Word", error="WORKBOOK_CORRUPT")


def parquet() -> Iterator[Case]:
    """Files that name and type their own columns."""
    values = _written(
        "1 AS id, '00123' AS cep, '1.500' AS versao, 12345678901234567890.12::DECIMAL(38, 2) AS n, 0.1 + 0.2::DOUBLE AS f,"
        " 18446744073709551615::UBIGINT AS u, TIMESTAMP '2024-03-01 10:30:00.123456' AS quando, NULL::DATE AS dia,"
        " true AS b, encode('ação') AS bytes, {'x': [1.10], 'y': NULL} AS junto, 2.00::DECIMAL(5, 2) AS inteiro"
    )
    columns = (
        "id_original:integer cep:text versao:text n:decimal f:decimal u:decimal quando:datetime dia:date?"
        " b:boolean bytes:text junto:text inteiro:decimal"
    )
    number, time = "12345678901234567890.12", "2024-03-01 10:30:00.123456"
    cells = ["1", "00123", "1.500", number, "0.30000000000000004", "18446744073709551615", time, None, "true"]
    rows = [[*cells, "ação", '{"x":[1.1],"y":null}', "2.00"]]
    labels = ["id", *(column.partition(":")[0] for column in columns.split()[1:])]
    stated = {"labels": labels, "evidence": {"cep": "o próprio arquivo dá", "quando": "sem fuso"}}
    yield case(
        "parquet/values.parquet", values, "types that are taken, values exact", columns, rows, **stated
    )
    yield case(
        "parquet/cut.parquet", values[:-9], "it ends too early", error="FILE_NOT_TABULAR", message="Parquet"
    )
    yield case("parquet/infinite.parquet", _written("'inf'::DOUBLE AS v"), "no number", "v:text", "INF")
    pair = {"1.parquet": _written("7 AS v"), "2.csv": "v\nx\n"}
    yield case("parquet/mixed.zip", x.zipped(pair), "with a file without types", "v:text", "7\nx")


def _written(fields: str) -> bytes:
    """Return a Parquet file of one row."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        duckdb.execute(f"COPY (SELECT {fields}) TO '{path}'")
        return path.read_bytes()
