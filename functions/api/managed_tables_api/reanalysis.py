"""Have the files of a waiting job read again, as a person states, in steps that may be interrupted anywhere.

What is stated is checked: whether file, sheet and line exist, and a delimiter can be one. The statement is
written to S3 first; the job's record then names it, in the one conditional write that decides; the state
machine is notified last. Interrupted after the decision, a repeated request or the sweep notifies it.
"""

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator

from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.details import UNKNOWN_TIMEZONE, Detail, Fault, InvalidValue, detail
from managed_tables.documents.analyses import JobReading, TableReading
from managed_tables.documents.statements import Draft, ReadingStatement, TableStatement
from managed_tables.errors import ANALYSIS_GONE, DRAFT_CHANGED, INVALID_READING, JOB_NOT_WAITING, ApiError
from managed_tables.ids import new_record_id
from managed_tables.jobs.confirmation import find_unknown_zones
from managed_tables.jobs.table_memory import store_memory
from managed_tables.object_keys import DRAFT, OVERRIDES, attempt_key
from managed_tables.services import Services

MAX_DELIMITER_CHARACTERS = 3  # `~|~`, and room for no word
_NOT_TEXT = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"})
_CONTROLS = "\t\x01\x1e\x1f"  # that part cells in files of machines
_TEXT_ONLY = ("encoding", "delimiter", "quote")

UNKNOWN_FILE = Fault("UNKNOWN_FILE", "o envio não tem este arquivo")
UNKNOWN_SHEET = Fault("UNKNOWN_SHEET", "o arquivo não tem esta aba")
_REPEATED = Fault("REPEATED", "o mesmo arquivo ou aba aparece mais de uma vez")
_NOT_FOR_A_WORKBOOK = Fault("NOT_FOR_A_WORKBOOK", "só vale para arquivos de texto, e não para planilhas")


def reanalyze_job(services: Services, job: JobRecord, stated: ReadingStatement) -> None:
    """Set the job going back to its analysis; the same request again, while it runs, is no second time.

    Raises JOB_NOT_WAITING, ANALYSIS_GONE and, where the files cannot be read so, INVALID_READING.
    """
    digest = exact_json.digest(stated.as_json())
    if job.status == "waiting_confirm":
        job = _decide(services, job, stated, digest)
    if job.status != "analisando" or job.wish_digest != digest:
        raise ApiError(JOB_NOT_WAITING)
    if job.wish_key is not None:
        services.shares.resume(job)


def keep_draft(
    services: Services, job: JobRecord, draft: Mapping[str, Any], *, as_read: bool = False
) -> JobRecord:
    """Keep what a person's review has so far, instead of what was kept, and return the job.

    Raises JOB_NOT_WAITING, and DRAFT_CHANGED where another was kept since `job` was read, if that matters.
    """
    kept_before = services.job_documents.find(Draft, job.draft_key)
    if kept_before is not None and kept_before.as_json() == draft:
        return job
    key = attempt_key(job.company_id, job.job_id, new_record_id(), DRAFT)
    services.storage.put_json(key, draft)
    kept = services.jobs.keep_draft(job, key, as_read=as_read)
    unused = key if kept is None else job.draft_key
    if unused is not None:
        services.storage.delete(unused)
    if kept is None:
        now = services.jobs.get(job.company_id, job.job_id)
        raise ApiError(JOB_NOT_WAITING if now.draft_key == job.draft_key else DRAFT_CHANGED)
    return kept


def _decide(services: Services, job: JobRecord, stated: ReadingStatement, digest: str) -> JobRecord:
    """Return the job as it is when one request, ours or another, has been taken."""
    analysis = services.job_documents.find_analysis(job)
    if analysis is None or analysis.reading is None:
        raise ApiError(ANALYSIS_GONE)
    tables = _with_only_sheets(stated.tables, analysis.reading.tables)
    stated = stated.model_copy(update={"tables": tables})
    merged = [analysis.wish.of(table.place).merged(table) for table in tables]
    judged = stated.model_copy(update={"tables": merged})
    if impossible := list(find_impossible(analysis.reading, analysis.line_counts, judged)):
        raise ApiError(INVALID_READING, impossible)
    if stated.timezone:
        with services.open_company(services.provisioning.require(job.company_id)) as connection:
            unknown = find_unknown_zones(connection, [stated.timezone])
        if unknown:
            found = detail("body", UNKNOWN_TIMEZONE, path="timezone", value=stated.timezone)
            raise ApiError(INVALID_READING, [found])
    key = attempt_key(job.company_id, job.job_id, new_record_id(), OVERRIDES)
    services.storage.put_json(key, analysis.wish.merged(stated).as_json())
    recipe_key = store_memory(services, job)  # the table may have changed since the job was handed it
    recorded = services.jobs.reanalyze(job, wish_key=key, digest=digest, recipe_key=recipe_key)
    return recorded or services.jobs.get(job.company_id, job.job_id)


def _with_only_sheets(
    stated: Iterable[TableStatement], known: Iterable[TableReading]
) -> list[TableStatement]:
    """Return the statement, with the name of a workbook's only sheet filled in."""
    sheets: dict[int, list[str | None]] = {}
    for table in known:
        sheets.setdefault(table.file, []).append(table.sheet)
    only = {file: names[0] for file, names in sheets.items() if len(names) == 1}
    return [one.model_copy(update={"sheet": one.sheet or only.get(one.file)}) for one in stated]


def find_impossible(
    reading: JobReading, line_counts: Sequence[int], stated: ReadingStatement
) -> Iterator[Detail]:
    """Yield what cannot be, of the tables that were read and their numbers of lines, as far as known."""
    if stated.timezone is not None and not is_timezone(stated.timezone):
        yield detail("body", UNKNOWN_TIMEZONE, path="timezone", value=stated.timezone)
    counts: Sequence[int | None] = line_counts or [None] * len(reading.tables)
    places = {(one.file, one.sheet): (one, count) for one, count in zip(reading.tables, counts, strict=True)}
    files = {file for file, _ in places}
    seen = set()
    for index, table in enumerate(stated.tables):
        known = places.get(table.place)
        if table.place in seen:
            yield detail("body", _REPEATED, path=f"tables[{index}]")
        elif known is None:
            fault, name = (UNKNOWN_SHEET, "sheet") if table.file in files else (UNKNOWN_FILE, "file")
            yield detail("body", fault, path=f"tables[{index}].{name}", value=getattr(table, name))
        else:
            one, count = known
            lines = (*_line_faults(table, count), *_header_faults(table), *_end_faults(table))
            for name, fault in (*_dialect_faults(table, one), *lines):
                yield detail("body", fault, path=f"tables[{index}].{name}", value=getattr(table, name))
        seen.add(table.place)


_zones = cache(available_timezones)  # in some 20 ms


def is_timezone(name: str) -> bool:
    """Return whether a time zone has this name; `localtime` is the machine's own, unknown to PostgreSQL."""
    return name[:1].isupper() and name in _zones()


def _known_zone(name: str) -> str:
    if not is_timezone(name):
        raise InvalidValue(*UNKNOWN_TIMEZONE)
    return name


KnownZone = Annotated[str, AfterValidator(_known_zone)]
"""The name of a time zone, in a model of a request."""


def _dialect_faults(table: TableStatement, reading: TableReading) -> Iterator[tuple[str, Fault]]:
    if reading.kind != "csv":
        yield from ((name, _NOT_FOR_A_WORKBOOK) for name in _TEXT_ONLY if getattr(table, name) is not None)
        return
    if table.encoding is not None and not _is_encoding(table.encoding):
        yield "encoding", Fault("UNKNOWN_ENCODING", "não é uma codificação de texto, como utf-8 ou cp1252")
    if table.delimiter is not None and not _is_delimiter(table.delimiter):
        reason = "um separador tem de 1 a 3 sinais: nem letra, nem algarismo, nem aspas"
        yield "delimiter", Fault("NOT_A_DELIMITER", reason)
    quote = table.quote
    if quote is not None and (not _is_mark(quote) or quote == (table.delimiter or reading.delimiter)):
        yield "quote", Fault("NOT_A_QUOTE", "as aspas são um único sinal, diferente do separador")


def _is_encoding(name: str) -> bool:
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return False
    return getattr(found, "_is_text_encoding", True) and found.name not in _NOT_TEXT


def _is_delimiter(text: str) -> bool:
    parts_cells = (
        mark in _CONTROLS or (mark.isprintable() and not mark.isalnum() and mark != '"') for mark in text
    )
    return 0 < len(text) <= MAX_DELIMITER_CHARACTERS and all(parts_cells)


def _is_mark(text: str) -> bool:
    return len(text) == 1 and text.isprintable() and not text.isalnum() and not text.isspace()


def _line_faults(table: TableStatement, line_count: int | None) -> Iterator[tuple[str, Fault]]:
    lines = {name: getattr(table, name) or 0 for name in ("header_line", "first_line", "last_line")}
    lines["skip_lines"] = max(table.skip_lines or (0,))
    for name, line in lines.items():
        if line_count is not None and line > line_count:
            yield name, Fault("NO_SUCH_LINE", f"vai só até a linha {line_count}")
    if line_count and len({*(table.skip_lines or ())}) >= line_count:
        yield "skip_lines", Fault("NOT_ALLOWED", "não sobra nenhuma linha")


def _header_faults(table: TableStatement) -> Iterator[tuple[str, Fault]]:
    header, lines, first = table.header_line, table.header_lines, table.first_line
    if header is None and lines and "header_line" in table.model_fields_set:
        yield "header_lines", Fault("NOT_ALLOWED", "sem cabeçalho não há linhas dele")
    elif (header or lines) and first is not None and first < (header or 1) + (lines or 1):
        yield "first_line", Fault("NO_SUCH_LINE", "os dados começam abaixo do cabeçalho")


def _end_faults(table: TableStatement) -> Iterator[tuple[str, Fault]]:
    if table.last_line is not None and table.last_line < (table.first_line or table.header_line or 1):
        yield "last_line", Fault("NO_SUCH_LINE", "a última linha dos dados não pode vir antes da primeira")
    if table.header_line in (table.skip_lines or ()):
        yield "skip_lines", Fault("NO_SUCH_LINE", "a linha do cabeçalho não pode ser ignorada")
