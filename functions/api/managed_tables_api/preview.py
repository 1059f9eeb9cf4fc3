"""Show any lines of a job's files, as the current reading reads them.

The index that analyze wrote says where to begin; reading from S3 is bounded, whatever the file's size.
"""

import csv
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from managed_tables import exact_json
from managed_tables.aws.storage import ObjectReplaced
from managed_tables.catalog.job_records import JobRecord
from managed_tables.conversion.marked_cells import on_its_lines
from managed_tables.documents.analyses import (
    MAX_COLUMNS_SHOWN,
    AnalysisDocument,
    PreviewIndex,
    PreviewTable,
    TableReading,
)
from managed_tables.documents.document import Document
from managed_tables.errors import ANALYSIS_GONE, FILES_REPLACED, JOB_NOT_WAITING, ApiError
from managed_tables.services import Services
from managed_tables_api.http.requests import QUERY_DIGITS, refusal
from managed_tables_api.reanalysis import UNKNOWN_FILE, UNKNOWN_SHEET

MAX_ANSWER_BYTES = 1_000_000
MAX_CELL_CHARACTERS = 1_000  # 200 cells of them, of four bytes each, are still one answer
_RANGE_BYTES = 524_288
_MAX_READ_BYTES = 4_194_304  # from S3 for one answer; longer lines are cut
_NO_DELIMITER, _NO_QUOTE = "\ufdd3", "\ufdd2"  # noncharacters, absent from any text


csv.field_size_limit(_MAX_READ_BYTES)

LineKind = Literal["title", "header", "row", "skipped", "footer", "blank"]


class PreviewQuery(BaseModel):
    """Which lines are to be shown."""

    file: Annotated[int, Field(ge=0, description="Como em reading.tables"), QUERY_DIGITS] = 0
    sheet: str | None = Field(default=None, description="Sem ele, a primeira aba incluída")
    from_line: Annotated[int, Field(ge=1, description="A primeira linha"), QUERY_DIGITS] = 1
    lines: Annotated[int, Field(ge=1, le=200, description="Quantas linhas"), QUERY_DIGITS] = 50


class PreviewLine(Document):
    """A line of a file, or a row of a sheet; a record of several lines stands on its first."""

    line: int = Field(ge=1)
    kind: LineKind
    cells: list[str] = Field(max_length=200)


class PreviewAnswer(Document):
    """Lines of a file as it stands under the present reading."""

    lines: list[PreviewLine] = Field(max_length=200)
    last_line: int = Field(ge=0, description="Do arquivo ou da aba")
    columns: int = Field(ge=0)
    truncated: bool = Field(description="Se faltam colunas, células ou linhas que não couberam em 1 MB")


def show_lines(services: Services, job: JobRecord, asked: PreviewQuery) -> PreviewAnswer:
    """Return the lines with their kinds and cells.

    Raises INVALID_REQUEST for no such file or sheet, FILES_REPLACED if it is not the one that was analysed.
    """
    if job.analysis_key is None:
        raise ApiError(JOB_NOT_WAITING)
    analysis = services.job_documents.find_analysis(job)
    index = analysis and services.job_documents.find(PreviewIndex, analysis.preview_key)
    if not analysis or not index or analysis.reading is None:
        raise ApiError(ANALYSIS_GONE)
    number = _find_table(analysis.reading.tables, asked)
    table, reading = index.tables[number], analysis.reading.tables[number]
    key, etag = _object_of(job, analysis, table)
    answer = PreviewAnswer(lines=[], last_line=table.last_line, columns=table.columns, truncated=False)
    if asked.from_line <= table.last_line:
        records = _records(services, key, etag, table, asked.from_line)
        until = takewhile(lambda record: record[0] < asked.from_line + asked.lines, records)
        shown = (record for record in until if record[0] >= asked.from_line)
        _fill(answer, ((line, _kind_of(line, cells, reading, table), cells) for line, cells in shown))
    return answer


def _fill(answer: PreviewAnswer, lines: Iterable[tuple[int, LineKind, list[str]]]) -> None:
    """Put lines into the answer, as many as it has room for."""
    size_bytes = 0
    for line, kind, cells in lines:
        shown = [cell[:MAX_CELL_CHARACTERS] for cell in cells[:MAX_COLUMNS_SHOWN]]
        entry = PreviewLine(line=line, kind=kind, cells=shown)
        size_bytes += len(exact_json.dumps(entry.as_json())) + 1
        answer.truncated = answer.truncated or shown != cells or size_bytes > MAX_ANSWER_BYTES
        if size_bytes > MAX_ANSWER_BYTES:
            return
        answer.lines.append(entry)


def _find_table(tables: list[TableReading], asked: PreviewQuery) -> int:
    of_file = [number for number, table in enumerate(tables) if table.file == asked.file]
    if not of_file:
        raise refusal("file", UNKNOWN_FILE, "query", value=asked.file)
    if asked.sheet is None:
        included = [number for number in of_file if tables[number].include]
        return (included or of_file)[0]
    for number in of_file:
        if tables[number].sheet == asked.sheet:
            return number
    raise refusal("sheet", UNKNOWN_SHEET, "query", value=asked.sheet)


def _object_of(job: JobRecord, analysis: AnalysisDocument, table: PreviewTable) -> tuple[str, str | None]:
    """Return the key of the object with the table's lines and, of an uploaded file, the ETag it must have."""
    if table.upload is None:
        return analysis.preview_rows_key or "", None
    etag = analysis.etags[table.upload] if analysis.etags else None
    return job.files[table.upload].storage_path, etag


def _records(
    services: Services, key: str, etag: str | None, table: PreviewTable, from_line: int
) -> Iterator[tuple[int, list[str]]]:
    """Yield records with their line numbers, from the block that holds a line; a long last one may be cut."""
    place = max(0, bisect_right(table.blocks, from_line, key=lambda block: block[0]) - 1)
    number, first = table.blocks[place]
    pending = b""
    for piece in _pieces(services, key, etag, range(first, min(table.end, first + _MAX_READ_BYTES))):
        *whole, pending = (pending + piece).split(b"\n")
        for line in whole:
            yield _record(number, line, table)
            number += 1
    if pending:
        yield _record(number, pending, table)


def _pieces(services: Services, key: str, etag: str | None, wanted: range) -> Iterator[bytes]:
    for first in wanted[::_RANGE_BYTES]:
        last = min(first + _RANGE_BYTES, wanted.stop) - 1
        try:
            yield services.storage.read_range(key, first, last, etag)
        except ObjectReplaced as error:
            raise ApiError(FILES_REPLACED) from error


def _record(number: int, line: bytes, table: PreviewTable) -> tuple[int, list[str]]:
    """Return a record's line number and cells; `number` is its place among the lines.

    An index of release 0.3.0 and before may name a delimiter of several characters, or cells of several
    lines: they are shown cut at its first character, and line by line.
    """
    delimiter, quote = table.delimiter[:1] or _NO_DELIMITER, table.quote or _NO_QUOTE
    text = line.decode(table.encoding, "replace").replace("\r", "")
    cells = next(csv.reader([text], delimiter=delimiter, quotechar=quote))
    return (int(cells[0]), list(map(on_its_lines, cells[1:]))) if table.is_numbered else (number, cells)


def _kind_of(line: int, cells: list[str], reading: TableReading, table: PreviewTable) -> LineKind:
    rows = _span(reading.first_line, reading.last_line)
    if not any(cell.strip() for cell in cells):
        return "blank"
    if line in _span(reading.header_line, table.header_end):
        return "header"
    if line < (reading.header_line or rows.start):
        return "title"
    if line in rows:
        return "skipped" if line in reading.skipped_lines else "row"
    return "footer" if line >= rows.stop > 0 else "skipped"


def _span(first: int | None, last: int | None) -> range:
    return range(first, (last or first) + 1) if first else range(0)
