"""Workbooks that only calamine reads: XLSB, and XLS on which xlrd fails."""

import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import pytest
import xlwt
from read_sheets import read as read_all

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables_reader.files.kinds import Kind
from managed_tables_reader.workbooks import child
from managed_tables_reader.workbooks.calamine import read_calamine
from managed_tables_reader.workbooks.raw import FrameKind, RawSheet, WorkbookError, read_frame
from managed_tables_reader.workbooks.xls import read_xls
from managed_tables_reader.workbooks.xlsx.workbook import read_xlsx

_TYPES = "http://schemas.openxmlformats.org/package/2006"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ROWS = [["nome", "valor"], ["Ana", 1234.5], ["1.500", 2**53], [None, True]]
READ = [["nome", "valor"], ["Ana", "1234.5"], [f"1.500{TEXT_SIGN}", "9007199254740992"], [None, "TRUE"]]

Value = str | float | None


def _record(kind: int, body: bytes = b"") -> bytes:
    """Return one record of a binary part: its kind and length in seven bits a byte."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 0x7F | 0x80, len(body) >> 7])
    return head + size + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _cell(column: int, value: Value) -> bytes:
    place = struct.pack("<II", column, 0)
    if isinstance(value, bool):
        return _record(4, place + bytes([value]))
    if isinstance(value, str):
        return _record(6, place + _wide(value))
    return _record(1, place) if value is None else _record(5, place + struct.pack("<d", value))


def xlsb(rows: Sequence[Sequence[Value]]) -> bytes:
    """Return a binary workbook of one sheet, as [MS-XLSB] has it."""
    bundle = _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("Plan1"))
    book = _record(131) + _record(143) + bundle + _record(144) + _record(132)
    width = max(map(len, rows))
    sheet = _record(129) + _record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1)) + _record(145)
    for number, row in enumerate(rows):
        sheet += _record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
        sheet += b"".join(_cell(column, value) for column, value in enumerate(row))
    sheet += _record(146) + _record(130)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        package.writestr("[Content_Types].xml", f'<Types xmlns="{_TYPES}/content-types"/>')
        package.writestr("_rels/.rels", _relations("officeDocument", "xl/workbook.bin"))
        package.writestr("xl/workbook.bin", book)
        package.writestr("xl/_rels/workbook.bin.rels", _relations("worksheet", "worksheets/sheet1.bin"))
        package.writestr("xl/worksheets/sheet1.bin", sheet)
    return content.getvalue()


def _relations(kind: str, target: str) -> str:
    one = f'<Relationship Id="rId1" Type="{_RELATION}/{kind}" Target="{target}"/>'
    return f'<Relationships xmlns="{_TYPES}/relationships">{one}</Relationships>'


def xls(rows: Sequence[Sequence[object]]) -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Plan1")
    day = xlwt.easyxf(num_format_str="dd/mm/yyyy")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value, *([day] if isinstance(value, date) else []))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rows_of(sheets: Iterator[RawSheet]) -> list[list[str | None]]:
    return [cells for sheet in sheets for batch in sheet.batches for _, cells in batch.rows()]


@pytest.mark.parametrize("content", [xlsb(ROWS), xls(ROWS)], ids=["xlsb", "xls"])
def test_cells_are_read_as_in_other_workbooks(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "00"
    path.write_bytes(content)
    assert rows_of(read_calamine(path)) == READ


def test_dates_are_written_without_midnight(tmp_path: Path) -> None:
    path = tmp_path / "00"
    path.write_bytes(xls([["a", "b"], [date(2024, 1, 31), datetime(2024, 1, 31, 10, 30)]]))
    assert rows_of(read_calamine(path))[1] == ["2024-01-31", "2024-01-31T10:30:00"]


def test_broken_styles_cost_neither_rows_nor_what_is_told_of_errors(tmp_path: Path) -> None:
    book, path = xlwt.Workbook(), tmp_path / "00"
    row = book.add_sheet("Plan1").row(0)
    row.write(0, date(2024, 1, 31), xlwt.easyxf(num_format_str="dd/mm/yyyy"))
    row.set_cell_error(1, 7)
    book.save(str(path))
    style = struct.pack("<HH", 0x0293, 4)
    path.write_bytes(path.read_bytes().replace(style + b"\x00\x80", style + b"\xff\x0f"))
    (sheet,) = read_xls(path)
    assert rows_of(iter([sheet])) == [["2024-01-31T00:00:00"]]
    assert sheet.tally.errors == {1: 1}


@pytest.mark.parametrize("read", [read_calamine, read_xls])
def test_data_may_start_anywhere_in_a_sheet(tmp_path: Path, read: child.Reader) -> None:
    path = tmp_path / "00"
    path.write_bytes(xls([[], [], [None, None, "a"], [None, None, "\0"], [None, None, "b"]]))
    [sheet] = read_all(read(path))
    assert sheet.tally.nul_lines == {4}
    assert sheet.numbered == [(3, [None, None, "a"]), (5, [None, None, "b"])]
    path.write_bytes(xls([[]]))
    assert rows_of(read(path)) == []


@pytest.mark.parametrize("read", [read_calamine, read_xls, read_xlsx])
def test_a_file_that_is_not_a_workbook_is_refused_with_a_reason(tmp_path: Path, read: child.Reader) -> None:
    path = tmp_path / "00"
    path.write_bytes(b"nothing of the kind")
    reason = "truncado ou não é um pacote ZIP" if read is read_xlsx else "não pode ser lida"
    with pytest.raises(WorkbookError, match=reason):
        list(read(path))


def _refuse(_: Path) -> Iterator[RawSheet]:
    raise WorkbookError("não pode ser lida")


def _break_off(path: Path) -> Iterator[RawSheet]:
    yield from read_xls(path)
    raise WorkbookError("a aba 2 não pode ser lida")


def frames(readers: Sequence[child.Reader], path: Path) -> list[FrameKind]:
    output = io.BytesIO()
    child._read(readers, path, output)
    output.seek(0)
    return [frame[0] for frame in iter(lambda: read_frame(output), None)]


def test_the_next_reader_is_tried_only_if_the_first_gave_nothing(tmp_path: Path) -> None:
    path = tmp_path / "00"
    path.write_bytes(xls(ROWS))
    whole = [FrameKind.SHEET, FrameKind.ROWS, FrameKind.SHEET_END, FrameKind.DONE]
    assert frames([read_xls, _refuse], path) == whole
    assert frames([_refuse, read_calamine], path) == whole
    with pytest.raises(WorkbookError, match="aba 2"):
        frames([_break_off, read_calamine], path)
    with pytest.raises(WorkbookError, match="não pode ser lida"):
        frames([_refuse, _refuse], path)


def test_a_file_has_no_more_sheets_than_people_make(tmp_path: Path) -> None:
    """4,392 bytes of ODS state 5,000 of them, which took 15 seconds."""

    def some(count: int) -> child.Reader:
        return lambda _: (RawSheet(None, True, iter(())) for _ in range(count))

    assert frames([some(child.MAX_SHEETS)], tmp_path)[-1] is FrameKind.DONE
    with pytest.raises(WorkbookError, match="tem mais de 2000 abas"):
        frames([some(child.MAX_SHEETS + 1)], tmp_path)


@pytest.mark.parametrize(
    ("kind", "readers"),
    [(Kind.XLS, [read_xls, read_calamine]), (Kind.XLSB, [read_calamine]), (Kind.XLSX, [read_xlsx])],
)
def test_each_kind_is_read_by_exact_readers_before_calamine(kind: Kind, readers: list[child.Reader]) -> None:
    assert child._readers(kind, 0) == readers
