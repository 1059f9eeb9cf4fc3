"""Name the ways in which a workbook cannot be read, as the readers raise them in the child process."""

from managed_tables.errors import (
    FILE_NOT_TABULAR,
    WORKBOOK_CORRUPT,
    WORKBOOK_ENCRYPTED,
    WORKBOOK_TOO_LARGE,
    WORKBOOK_UNSAFE,
    JobErrorKind,
)


class WorkbookError(Exception):
    """A file that is refused, with its Portuguese reason."""

    kind: JobErrorKind = WORKBOOK_CORRUPT


class WorkbookTooLargeError(WorkbookError):
    """Inflates, or would have to be held in memory, beyond what one job may take."""

    kind = WORKBOOK_TOO_LARGE


class WorkbookUnsafeError(WorkbookError):
    """Holds what no spreadsheet program writes and only an attack needs: a DTD, an entity."""

    kind = WORKBOOK_UNSAFE


class WorkbookEncryptedError(WorkbookError):
    """Cannot be read without a password."""

    kind = WORKBOOK_ENCRYPTED


class NotTabularError(WorkbookError):
    """Is what it says, but holds no table."""

    kind = FILE_NOT_TABULAR
