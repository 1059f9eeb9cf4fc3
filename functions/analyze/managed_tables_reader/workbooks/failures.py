"""Define the errors that readers raise in the child process when a workbook cannot be read."""

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
    """The file inflates to more, or needs more memory, than one job may take."""

    kind = WORKBOOK_TOO_LARGE


class WorkbookUnsafeError(WorkbookError):
    """The file contains what no spreadsheet program writes and only an attack needs: a DTD, an entity."""

    kind = WORKBOOK_UNSAFE


class WorkbookEncryptedError(WorkbookError):
    """The file cannot be read without a password."""

    kind = WORKBOOK_ENCRYPTED


class NotTabularError(WorkbookError):
    """The file is valid, but holds no table."""

    kind = FILE_NOT_TABULAR
