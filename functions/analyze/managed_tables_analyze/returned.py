"""Recognise a workbook that went out to be changed, and find in it the columns of the table.

It is known by its token, in whichever place that survived; its columns by what the formats of their headers
say, or by their labels where a program has dropped the formats.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from managed_tables.aws_services import AwsServices
from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import timestamp
from managed_tables.documents.analyses import InferredColumn
from managed_tables.documents.statements import ReadingStatement, TableStatement
from managed_tables.documents.workbooks import (
    Base,
    ReturnedWorkbook,
    WorkbookColumn,
    find_base_id,
    find_column,
)
from managed_tables.errors import BASE_GONE, JobError
from managed_tables.identifiers import ID_COLUMN, fold_label
from managed_tables.messages.findings import Finding
from managed_tables.object_keys import BASE, base_key
from managed_tables_analyze.analysis import Analysis
from managed_tables_reader.files.kinds import Kind, detect_kind
from managed_tables_reader.rows.sheets import MAX_ROWS
from managed_tables_reader.workbooks.xlsx.looking import (
    MarkedHeader,
    find_marked_header,
    find_signature,
    find_valueless,
)

_OF_OTHERS = "a exportação já não está guardada, ou é de outra tabela"
_NO_EXPORT = "o arquivo não saiu de uma exportação para editar"
_WITHOUT_IDS = "a coluna oculta com os ids foi retirada"


@dataclass(frozen=True)
class Returned:
    """A workbook that has come back into its table, with the base that it went out from."""

    path: Path
    base_id: str
    base: Base

    @cached_property
    def header(self) -> MarkedHeader | None:
        """Where the header stands, by the formats of its cells."""
        return find_marked_header(self.path, find_column)

    def statement(self) -> ReadingStatement:
        """Return how the workbook is to be read: its table alone, every row of which counts."""
        header = self.header
        if header is None:
            return ReadingStatement()
        others = [TableStatement(file=0, sheet=name, include=False) for name in header.other_sheets]
        own = TableStatement(
            file=0,
            sheet=header.sheet,
            include=True,
            header_line=header.line,
            header_lines=1,
            first_line=header.line + 1,
            last_line=MAX_ROWS,
        )
        return ReadingStatement(tables=[own, *others])

    def take(self, found: Analysis) -> ReturnedWorkbook | None:
        """Return where in the files what stands; None without ids, by which rows are known."""
        columns = found.document.inferred_schema.columns
        marked = self._marked(found)
        ids = marked.get(ID_COLUMN) or _find_labelled(columns, lambda label: bool(find_base_id(label)))
        if ids is None:
            return None
        free = [one for one in columns if one is not ids and one not in marked.values()]
        return ReturnedWorkbook(
            base_id=self.base_id,
            ids=ids.name,
            columns=list(self._columns(marked, free)),
            valueless=self._find_valueless(found),
        )

    def _columns(
        self, marked: Mapping[str, InferredColumn], free: list[InferredColumn]
    ) -> Iterator[WorkbookColumn]:
        """Yield the base's columns that the file has, by their marks or, of those that lost them, labels."""
        for own in self.base.columns:
            one = marked.get(own.name) or _find_labelled(free, _is_label(own.label))
            if one in free:
                free.remove(one)
            if one is not None:
                yield WorkbookColumn(name=own.name, source=one.name, type=own.type)

    def _marked(self, found: Analysis) -> dict[str, InferredColumn]:
        """Return the inferred columns by the names that their headers' formats carry, the first of each."""
        columns = found.document.inferred_schema.columns
        marks = sorted(self.header.marks.items()) if self.header else []
        named: dict[str, InferredColumn] = {}
        for place, name in marks:
            if place in found.places:
                named.setdefault(name, columns[found.places[place]])
        return named

    def _find_valueless(self, found: Analysis) -> list[tuple[int, str]]:
        """Return the lines and columns of formulas without a value, where there are any."""
        sheet = next((one.sheet for one in found.reading.tables if one.include), None)
        if sheet is None or all(one.code != "UNCACHED_FORMULAS" for one in found.findings):
            return []
        names = [column.name for column in found.document.inferred_schema.columns]
        places = find_valueless(self.path, sheet)
        return [(line, names[found.places[place]]) for line, place in places if place in found.places]


def find_returned(
    services: AwsServices, job: JobRecord, paths: Sequence[Path]
) -> tuple[Returned | None, list[Finding]]:
    """Return the workbook that the job brings back to its table; where it is read as any other, why.

    Raises BASE_GONE where a merge is asked for, and there is nothing to merge with.
    """
    if job.states_mode and job.mode != "merge":
        return None, []
    base_id = find_signature(paths[0], find_base_id) if _is_workbook(paths) else None
    base = _find_base(services, job, base_id) if base_id else None
    if base_id and base:
        return Returned(paths[0], base_id, base), []
    if job.states_mode:
        raise JobError(BASE_GONE, reason=_OF_OTHERS if base_id else _NO_EXPORT)
    return None, [_not_merged(job, _OF_OTHERS)] if base_id else []


def without_ids(job: JobRecord) -> Finding:
    """Return the finding about a workbook whose ids are gone; raises BASE_GONE where a merge is asked for."""
    if job.states_mode:
        raise JobError(BASE_GONE, reason=_WITHOUT_IDS)
    return _not_merged(job, _WITHOUT_IDS)


def find_not_merged(found: Analysis, workbook: ReturnedWorkbook) -> Iterator[Finding]:
    """Yield the finding about columns of the file that the table did not send out."""
    fed = {workbook.ids, *(column.source for column in workbook.columns)}
    names = [one.name for one in found.document.inferred_schema.columns if one.name not in fed]
    if names:
        yield Finding("COLUMNS_NOT_MERGED", count=len(names), columns=tuple(names))


def without_own(findings: Sequence[Finding], workbook: ReturnedWorkbook) -> list[Finding]:
    """Return the findings without that of the hidden column of the ids, which is no one's to look at."""
    return [one for one in findings if (one.code, one.columns) != ("HIDDEN_COLUMNS", (workbook.ids,))]


def _not_merged(job: JobRecord, why: str) -> Finding:
    return Finding("WORKBOOK_BASE_GONE", {"why": why}, file=job.files[0].original_name)


def _is_workbook(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and detect_kind(paths[0])[0] is Kind.XLSX


def _find_base(services: AwsServices, job: JobRecord, base_id: str) -> Base | None:
    if job.user_table_id is None:
        return None
    stored = services.storage.find_json(base_key(job.company_id, job.user_table_id, base_id, BASE))
    base = Base.read(stored) if stored else None
    return base if base and base.expires_at > timestamp() else None


def _is_label(label: str) -> Callable[[str], bool]:
    folded = fold_label(label)
    return lambda other: fold_label(other) == folded


def _find_labelled(
    columns: Sequence[InferredColumn], is_wanted: Callable[[str], bool]
) -> InferredColumn | None:
    return next((one for one in columns if is_wanted(one.source or "")), None)
