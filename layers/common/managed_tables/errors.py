"""Declare every error that a person can meet: its status and stable code; `sentences.json` has its text.

Two families share one shape (`error`, `code`, `details`): answers of the API carry an HTTP status;
failures of a job are data, kept in the job's record (`code`, `message`, `details`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from managed_tables.details import MAX_ERROR_DETAILS, Described, described
from managed_tables.details import Detail as Detail
from managed_tables.wording import catalogue


@dataclass(frozen=True)
class ErrorKind:
    """A declared error: its code, and what names its sentence where another error has the same code."""

    code: str
    named: str = field(default="", kw_only=True)

    @property
    def sentence(self) -> str:
        """The Portuguese sentence (`str.format` fields allowed)."""
        sentence: str = catalogue()["coded"][self.named or self.code]["pt"]
        return sentence


@dataclass(frozen=True)
class ApiErrorKind(ErrorKind):
    """A declared answer of the API."""

    status: int


class JobErrorKind(ErrorKind):
    """A declared way for a job to fail."""


class ApiError(Exception):
    """Raised anywhere below a route; the app turns it into its status and body, once.

    `details_total` is how many details there are, where only the first are given; MAX_ERROR_DETAILS of them
    are kept. `rows` are the rows of a table as they are now, where the caller is to see them. The `reason` of
    a sentence is that of the first detail, with its path, unless another is given.
    """

    def __init__(
        self,
        kind: ApiErrorKind,
        details: Sequence[Detail] = (),
        details_total: int | None = None,
        rows: Sequence[Mapping[str, Any]] = (),
        **fields: object,
    ) -> None:
        self.kind = kind
        self.rows = list(rows)
        if details:
            fields.setdefault("reason", f"{details[0].get('path') or 'corpo'}: {details[0]['reason']}")
        self.sentence = kind.sentence.format(**fields)
        self.details = list(details[:MAX_ERROR_DETAILS])
        self.details_total = len(details) if details_total is None else details_total
        super().__init__(self.sentence)


class ErrorRecord(Described):
    """A failure as a job's record, the state machine and `applied_jobs` keep it."""

    code: str
    message: str


class JobError(Exception):
    """A job's expected failure, raised inside a step and turned into its result at the handler."""

    def __init__(
        self,
        kind: JobErrorKind,
        details: Sequence[Detail] = (),
        details_total: int | None = None,
        message: str | None = None,
        **fields: object,
    ) -> None:
        self.kind = kind
        self.message = kind.sentence.format(**fields) if message is None else message
        self.details = list(details)
        self.details_total = details_total
        super().__init__(self.message)

    @classmethod
    def from_record(cls, record: ErrorRecord) -> Self:
        """Return the error that `as_record` has written."""
        kind = JobErrorKind(record["code"])
        return cls(kind, record["details"], record.get("details_total"), record["message"])

    def as_record(self) -> ErrorRecord:
        """Return the failure as it is kept."""
        return {
            "code": self.kind.code,
            "message": self.message,
            **described(self.details, self.details_total),
        }


def codes_of(family: type[ApiErrorKind] | type[JobErrorKind]) -> list[str]:
    """Return the codes of every declared error of the family."""
    return sorted({one.code for one in globals().values() if isinstance(one, family)})


# Answers of the API

UNAUTHENTICATED = ApiErrorKind("UNAUTHENTICATED", 401)
TOKEN_EXPIRED = ApiErrorKind("TOKEN_EXPIRED", 401)
FORBIDDEN = ApiErrorKind("FORBIDDEN", 403)
TABLE_NOT_FOUND = ApiErrorKind("TABLE_NOT_FOUND", 404)
JOB_NOT_FOUND = ApiErrorKind("JOB_NOT_FOUND", 404)
EXPORT_NOT_FOUND = ApiErrorKind("EXPORT_NOT_FOUND", 404)
ROW_NOT_FOUND = ApiErrorKind("ROW_NOT_FOUND", 404)
VIEW_NOT_FOUND = ApiErrorKind("VIEW_NOT_FOUND", 404)
VIEW_OF_ANOTHER = ApiErrorKind("VIEW_OF_ANOTHER", 403)
DUPLICATE_VIEW_NAME = ApiErrorKind("DUPLICATE_NAME", 409)
RECIPE_NOT_FOUND = ApiErrorKind("RECIPE_NOT_FOUND", 404)
COLUMN_NOT_FOUND = ApiErrorKind("COLUMN_NOT_FOUND", 404)
NO_REJECTS = ApiErrorKind("NO_REJECTS", 404)
ROUTE_NOT_FOUND = ApiErrorKind("ROUTE_NOT_FOUND", 404)
METHOD_NOT_ALLOWED = ApiErrorKind("METHOD_NOT_ALLOWED", 405)
NOT_PROVISIONED = ApiErrorKind("DATABASE_NOT_PROVISIONED", 400)
DUPLICATE_NAME = ApiErrorKind("MANAGED_TABLE_DUPLICATE_NAME", 400)
TABLE_INACTIVE = ApiErrorKind("MANAGED_TABLE_INACTIVE", 400)
JOB_NOT_WAITING = ApiErrorKind("JOB_NOT_WAITING_CONFIRM", 400)
JOB_FINISHED = ApiErrorKind("JOB_FINISHED", 400)
FILES_REPLACED = ApiErrorKind("FILES_CHANGED", 409, named="FILES_REPLACED")
ANALYSIS_GONE = ApiErrorKind("JOB_ANALYSIS_GONE", 400)
TABLE_VERSION_CHANGED = ApiErrorKind("TABLE_CHANGED", 412, named="TABLE_VERSION_CHANGED")
DUPLICATE_KEY_ROWS = ApiErrorKind("DUPLICATE_KEY", 422, named="DUPLICATE_KEY_ROWS")
DUPLICATE_KEY = ApiErrorKind("DUPLICATE_KEY", 409)
INVALID_READING = ApiErrorKind("INVALID_READING", 422)
TABLE_WITHOUT_KEY = ApiErrorKind("TABLE_WITHOUT_KEY", 422)
NOT_UNDOABLE = ApiErrorKind("NOT_UNDOABLE", 400)
CHANGED_SINCE = ApiErrorKind("CHANGED_SINCE", 409)
UPLOAD_TOO_LARGE = ApiErrorKind("UPLOAD_TOO_LARGE", 413)
INVALID_UPLOAD = ApiErrorKind("INVALID_UPLOAD", 422)
REQUEST_TOO_LARGE = ApiErrorKind("REQUEST_TOO_LARGE", 413)
RESPONSE_TOO_LARGE = ApiErrorKind("RESPONSE_TOO_LARGE", 422)
REQUEST_TOO_SLOW = ApiErrorKind("REQUEST_TOO_SLOW", 408)
TOO_MANY_REQUESTS = ApiErrorKind("TOO_MANY_REQUESTS", 429)
TOO_MANY_JOBS = ApiErrorKind("TOO_MANY_JOBS", 429)
TOO_MANY_EXPORTS = ApiErrorKind("TOO_MANY_EXPORTS", 429)
ORIGIN_NOT_ALLOWED = ApiErrorKind("ORIGIN_NOT_ALLOWED", 400)
HTTP_ERROR = ApiErrorKind("HTTP_ERROR", 400)
UNKNOWN_PARAMETER = ApiErrorKind("UNKNOWN_PARAMETER", 422)
INVALID_REQUEST = ApiErrorKind("INVALID_REQUEST", 422)
ROW_CHANGED = ApiErrorKind("ROW_CHANGED", 412)
DRAFT_CHANGED = ApiErrorKind("DRAFT_CHANGED", 412)
PLAN_NOT_CONFIRMED = ApiErrorKind("PLAN_NOT_CONFIRMED", 409)
IDEMPOTENCY_KEY_REUSED = ApiErrorKind("IDEMPOTENCY_KEY_REUSED", 422)
INVALID_SCHEMA = ApiErrorKind("INVALID_SCHEMA", 422)
INVALID_ROWS = ApiErrorKind("INVALID_ROWS", 422)
RULE_BROKEN = ApiErrorKind("RULE_BROKEN", 422)
PATTERN_NOT_ALLOWED = ApiErrorKind("PATTERN_NOT_ALLOWED", 422)
ROWS_BREAK_RULE = ApiErrorKind("ROWS_BREAK_RULE", 409)
REFERRED_TO = ApiErrorKind("REFERRED_TO", 409)
ROW_TOO_WIDE = ApiErrorKind("ROW_TOO_WIDE", 422)
KEY_TOO_LONG = ApiErrorKind("KEY_TOO_LONG", 422)
INTERNAL = ApiErrorKind("INTERNAL_ERROR", 500)
DATABASE_UNAVAILABLE = ApiErrorKind("DATABASE_UNAVAILABLE", 503)
CONNECTIONS_TAKEN = ApiErrorKind("DATABASE_CONNECTIONS_TAKEN", 503)
OUTCOME_UNKNOWN = ApiErrorKind("OUTCOME_UNKNOWN", 503)
CATALOG_UNAVAILABLE = ApiErrorKind("CATALOG_UNAVAILABLE", 503)
STORAGE_UNAVAILABLE = ApiErrorKind("STORAGE_UNAVAILABLE", 503)
EXPORTS_UNAVAILABLE = ApiErrorKind("EXPORTS_UNAVAILABLE", 503)
SECRETS_UNAVAILABLE = ApiErrorKind("SECRETS_UNAVAILABLE", 503)
DATABASE_TIMEOUT = ApiErrorKind("DATABASE_TIMEOUT", 503)
QUERY_TOO_HEAVY = ApiErrorKind("QUERY_TOO_HEAVY", 422)
TABLE_BUSY = ApiErrorKind("MANAGED_TABLE_BUSY", 409)
KEYS_UNAVAILABLE = ApiErrorKind("SIGNING_KEYS_UNAVAILABLE", 503)
AWAY = (CONNECTIONS_TAKEN, DATABASE_UNAVAILABLE)  # a cluster that wakes, or is full: steps wait for it

# Failures of a job

FILE_EMPTY = JobErrorKind("FILE_EMPTY")
FILE_NOT_TABULAR = JobErrorKind("FILE_NOT_TABULAR")
FILE_KIND_REFUSED = JobErrorKind("FILE_KIND_REFUSED")
WORKBOOK_ENCRYPTED = JobErrorKind("WORKBOOK_ENCRYPTED")
WORKBOOK_CORRUPT = JobErrorKind("WORKBOOK_CORRUPT")
WORKBOOK_TOO_LARGE = JobErrorKind("WORKBOOK_TOO_LARGE")
WORKBOOK_UNSAFE = JobErrorKind("WORKBOOK_UNSAFE")
TOO_MANY_COLUMNS = JobErrorKind("TOO_MANY_COLUMNS")
ARCHIVE_CORRUPT = JobErrorKind("ARCHIVE_CORRUPT")
ARCHIVE_ENCRYPTED = JobErrorKind("ARCHIVE_ENCRYPTED")
ARCHIVE_NESTED = JobErrorKind("ARCHIVE_NESTED")
ARCHIVE_TOO_MANY_ENTRIES = JobErrorKind("ARCHIVE_TOO_MANY_ENTRIES")
ARCHIVE_TOO_LARGE = JobErrorKind("ARCHIVE_TOO_LARGE")
ARCHIVES_TOO_LARGE = JobErrorKind("ARCHIVES_TOO_LARGE")
ARCHIVE_UNSAFE = JobErrorKind("ARCHIVE_UNSAFE")
ARCHIVE_MEMBERS_REFUSED = JobErrorKind("ARCHIVE_MEMBERS_REFUSED")
ARCHIVE_EMPTY = JobErrorKind("ARCHIVE_EMPTY")
VALUES_NOT_CONVERTED = JobErrorKind("VALUES_NOT_CONVERTED")
UNATTENDED_MISFITS = JobErrorKind("VALUES_NOT_CONVERTED", named="UNATTENDED_MISFITS")  # nobody confirms again
DUPLICATE_KEYS = JobErrorKind("DUPLICATE_KEY", named="DUPLICATE_KEYS")
KEY_VALUE_TOO_LONG = JobErrorKind("KEY_TOO_LONG", named="KEY_VALUE_TOO_LONG")
NO_TABLE_INCLUDED = JobErrorKind("NO_TABLE_INCLUDED")
LINE_WITHOUT_CELLS = JobErrorKind("LINE_WITHOUT_CELLS")
VALUES_REFUSED = JobErrorKind("VALUES_REFUSED")
ROW_TOO_LARGE = JobErrorKind("ROW_TOO_LARGE")
EXPORT_TABLE_GONE = JobErrorKind("EXPORT_TABLE_GONE")
EXPORT_TABLE_CHANGED = JobErrorKind("EXPORT_TABLE_CHANGED")
EXPORT_TOO_LARGE = JobErrorKind("EXPORT_TOO_LARGE")
EXPORT_QUERY_TOO_HEAVY = JobErrorKind("EXPORT_QUERY_TOO_HEAVY")
EXPORT_TEXT_TOO_LONG = JobErrorKind("EXPORT_TEXT_TOO_LONG")
EXPORT_ROW_TOO_LARGE = JobErrorKind("EXPORT_ROW_TOO_LARGE")
EXPORT_TOO_MANY_SHEETS = JobErrorKind("EXPORT_TOO_MANY_SHEETS")
EXPORT_NOT_EDITABLE = JobErrorKind("EXPORT_NOT_EDITABLE")
EXPORT_EXPIRED = JobErrorKind("EXPORT_EXPIRED")
EXPORT_FAULT = JobErrorKind("EXPORT_FAULT")
TABLE_GONE = JobErrorKind("TABLE_GONE")
TABLE_NOT_ACTIVE = JobErrorKind("TABLE_NOT_ACTIVE")
TABLE_CHANGED = JobErrorKind("TABLE_CHANGED")
TABLE_NAME_TAKEN = JobErrorKind("TABLE_NAME_TAKEN")
TABLE_LOCKED = JobErrorKind("TABLE_LOCKED")
RESERVATION_LOST = JobErrorKind("RESERVATION_LOST")
INBOX_FILE_REFUSED = JobErrorKind("INBOX_FILE_REFUSED")
INBOX_METADATA_INVALID = JobErrorKind("INBOX_METADATA_INVALID")
INBOX_OBJECT_GONE = JobErrorKind("INBOX_OBJECT_GONE")
CONFIRMATION_REFUSED = JobErrorKind("CONFIRMATION_REFUSED")
CONFIRMATION_WAITS = JobErrorKind("CONFIRMATION_REFUSED", named="CONFIRMATION_WAITS")  # for a person
FILE_SIZE_MISMATCH = JobErrorKind("FILE_SIZE_MISMATCH")
FILES_GONE = JobErrorKind("FILES_GONE")
FILES_CHANGED = JobErrorKind("FILES_CHANGED")
FILES_TOO_LARGE = JobErrorKind("FILES_TOO_LARGE")
BASE_GONE = JobErrorKind("WORKBOOK_BASE_GONE", named="BASE_GONE")
IDS_MISALIGNED = JobErrorKind("IDS_MISALIGNED")
CONFLICTS_OPEN = ApiErrorKind("CONFLICTS_OPEN", 409)
CONFLICTS_CAME = JobErrorKind("CONFLICTS_OPEN", named="CONFLICTS_CAME")
FILES_IMPORTED = JobErrorKind("FILES_IMPORTED")
RECIPE_CHANGED = JobErrorKind("RECIPE_CHANGED")
UPLOAD_EXPIRED = JobErrorKind("UPLOAD_EXPIRED")
CONFIRMATION_EXPIRED = JobErrorKind("CONFIRMATION_EXPIRED")
TABLE_NOT_MADE = JobErrorKind("TABLE_NOT_MADE")
JOB_CANCELLED = JobErrorKind("JOB_CANCELLED")
REANALYSIS_FAULT = JobErrorKind("REANALYSIS_FAULT")
JOB_FAULT = JobErrorKind("JOB_FAULT")
