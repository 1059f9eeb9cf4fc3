"""The index by which the API finds any line of a job's files: analyze writes it, the API reads it."""

from managed_tables.documents.document import Document

BLOCK_BYTES = 65_536  # between two entries of the index: wasted reading, at most
MAX_COLUMNS_SHOWN = 200


class PreviewTable(Document):
    """One file or sheet: where its lines are, and how they are cut.

    `upload` is the file of the job that holds the bytes, None where they are among the copies. `blocks` are
    `(line, byte)` of lines on which a record begins; `end` is the byte after the last one. Where
    `is_numbered` each line is a row, its number first, its cells escaped (`conversion.one_line`); where
    `has_breaks` quoted cells go over lines.
    """

    upload: int | None
    encoding: str
    delimiter: str
    quote: str
    is_numbered: bool = False
    header_end: int | None
    columns: int
    last_line: int
    blocks: list[tuple[int, int]]
    end: int
    has_breaks: bool = False


class PreviewIndex(Document):
    """The files and sheets of a job, in the order of its reading."""

    tables: list[PreviewTable]
