"""The index by which the API finds any line of a job's files: analyze writes it, the API reads it."""

from managed_tables.documents.document import Document

BLOCK_BYTES = 65_536  # between two entries of the index: wasted reading, at most
MAX_COLUMNS_SHOWN = 200


class PreviewTable(Document):
    """One file or sheet: where its lines are, and how they are cut.

    `upload` is the file of the job that holds the bytes, None where they are among the copies. `blocks` are
    `(line, byte)` of some lines; `end` is the byte after the last one. Each line is a record in the form of
    RFC 4180, cut by `delimiter` (empty: one cell) and `quote`; where `is_numbered` its line number comes
    first, and cells are escaped (`conversion.one_line`).
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
    has_breaks: bool = False  # up to release 0.3.0: quoted cells go over lines


class PreviewIndex(Document):
    """The files and sheets of a job, in the order of its reading."""

    tables: list[PreviewTable]
