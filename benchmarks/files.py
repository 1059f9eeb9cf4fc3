"""Make the files that imports are measured on: orders as Brazilian CSV, clean CSV, ZIP and workbook."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from string import ascii_uppercase
from typing import Any
from xml.sax.saxutils import escape

import duckdb
import xlwt

COLUMNS = {
    "pedido": "bigint",
    "produto": "text",
    "total": "numeric",
    "preco": "numeric",
    "dia": "date",
    "quando": "timestamptz",
    "ativo": "boolean",
    "cep": "text",
    "quantidade": "bigint",
    "cidade": "text",
}
BYTES_A_ROW = 96  # of the Brazilian file
SHEET_DATE, SHEET_DATETIME = 1, 2  # styles of the workbook
_EPOCH = datetime(1899, 12, 30)
_FETCH_ROWS = 20_000

# Values come from the row's number: the same on every machine. Five rows of six repeat one of `$2` rows but
# for the key: a ZIP finds what stands in its last 32 KiB again.
_ORDERS = """
CREATE OR REPLACE TABLE orders AS SELECT
    100000 + i AS pedido,
    'Produto ' || hash(k) % 5000 AS produto,
    ((hash(k * 3) % 100000000) / 100)::DECIMAL(12, 2) AS total,
    ((hash(k * 7) % 100000000) / 100)::DECIMAL(12, 2) AS preco,
    DATE '2015-01-01' + (hash(k * 5) % 3650)::INTEGER AS dia,
    TIMESTAMP '2015-01-01' + to_seconds((hash(k * 11) % 300000000)::BIGINT) AS quando,
    hash(k * 13) % 2 = 0 AS ativo,
    lpad((hash(k * 17) % 99999999)::VARCHAR, 8, '0') AS cep,
    (hash(k * 19) % 1000)::INTEGER AS quantidade,
    CASE WHEN hash(k * 23) % 10 > 0 THEN 'Brasília ' || hash(k * 29) % 600 END AS cidade
FROM (SELECT i, if(i % 6 = 0, i, i % $2) AS k FROM range($1) numbers(i))
"""
_BRAZILIAN = r"""
SELECT pedido, produto, 'R$ ' || brazilian(total) AS total, brazilian(preco) AS preco,
    strftime(dia, '%d/%m/%Y') AS dia, strftime(quando, '%d/%m/%Y %H:%M:%S') AS quando,
    CASE WHEN ativo THEN 'sim' ELSE 'não' END AS ativo, cep, quantidade, cidade
FROM orders
"""
_MARKS = "translate(format('{:,.2f}', amount::DOUBLE), ',.', '.,')"


@dataclass(frozen=True)
class Orders:
    """So many orders, to be written in any form; `folder` is where."""

    connection: duckdb.DuckDBPyConnection
    folder: Path

    def clean_csv(self) -> Path:
        """Write ISO dates, points and UTF-8: what COPY reads."""
        path = self.folder / "clean.csv"
        self.connection.execute(f"COPY orders TO '{path}' (FORMAT csv, HEADER)")
        return path

    def brazilian_csv(self) -> Path:
        """Write `;`, Latin-1, decimal commas, `R$`, day first, sim/não."""
        utf8, path = self.folder / "brazilian.utf8.csv", self.folder / "brazilian.csv"
        self.connection.execute(f"CREATE OR REPLACE MACRO brazilian(amount) AS {_MARKS}")
        self.connection.execute(f"COPY ({_BRAZILIAN}) TO '{utf8}' (FORMAT csv, HEADER, DELIMITER ';')")
        with utf8.open(encoding="utf-8", newline="") as source, path.open("wb") as target:
            while text := source.read(1_048_576):
                target.write(text.encode("latin-1"))
        utf8.unlink()
        return path

    def zipped(self, parts: int) -> Path:
        """Write a ZIP of Brazilian CSV files that share the orders."""
        path = self.folder / "orders.zip"
        lines = self.brazilian_csv().read_bytes().splitlines(keepends=True)
        header, rows = lines[0], lines[1:]
        size = -(-len(rows) // parts)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in range(parts):
                body = b"".join([header, *rows[part * size : (part + 1) * size]])
                archive.writestr(f"pedidos_{part:02d}.csv", body)
        return path

    def xlsx(self) -> Path:
        """Write a workbook with typed cells, texts in its shared strings as Excel writes them."""
        path = self.folder / "orders.xlsx"
        strings: dict[str, int] = {}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
            for name, text in _PARTS.items():
                archive.writestr(name, text)
            with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
                sheet.write(f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
                for number, row in enumerate(self._rows_with_header(), start=1):
                    cells = "".join(
                        _cell(f"{letter}{number}", value, strings)
                        for letter, value in zip(ascii_uppercase, row, strict=False)
                    )
                    sheet.write(f'<row r="{number}">{cells}</row>'.encode())
                sheet.write(b"</sheetData></worksheet>")
            items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{items}</sst>')
        return path

    def xls(self) -> Path:
        """Write an old workbook with typed cells."""
        path = self.folder / "orders.xls"
        book = xlwt.Workbook()
        sheet = book.add_sheet("Pedidos")
        day, moment = (
            xlwt.easyxf(num_format_str="dd/mm/yyyy"),
            xlwt.easyxf(num_format_str="dd/mm/yyyy hh:mm:ss"),
        )
        for number, row in enumerate(self._rows_with_header()):
            for place, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write(number, place, value, moment if isinstance(value, datetime) else day)
                elif value is not None:
                    sheet.write(number, place, value)
        book.save(str(path))
        return path

    def _rows_with_header(self) -> Iterator[tuple[Any, ...]]:
        yield tuple(COLUMNS)
        found = self.connection.execute("SELECT * FROM orders")
        while rows := found.fetchmany(_FETCH_ROWS):
            yield from rows


def make_orders(folder: Path, count: int, repeat_after: int | None = None) -> Orders:
    """Make so many orders, whose files will be in `folder`; most repeat after so many rows."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute(_ORDERS, [count, repeat_after or max(count, 1)])
    return Orders(connection, folder)


def _cell(place: str, value: object, strings: dict[str, int]) -> str:
    """Return the cell at `place` (`B7`) as Excel writes it: with its reference, nothing for an empty one."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{value:d}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
    if isinstance(value, datetime):
        return f'<c r="{place}" s="{SHEET_DATETIME}"><v>{_serial(value)}</v></c>'
    if isinstance(value, date):
        return f'<c r="{place}" s="{SHEET_DATE}"><v>{(value - _EPOCH.date()).days}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def _serial(moment: datetime) -> float:
    since = moment - _EPOCH
    return since.days + since.seconds / 86_400


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_TYPES}">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_CONTENT}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Pedidos" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/>'
    f'<Relationship Id="rId3" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><fonts count="1"><font/></fonts>'
    '<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/>'
    '<xf numFmtId="14" applyNumberFormat="1"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>",
}
