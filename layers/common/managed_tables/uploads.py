"""Check the names and sizes of an upload's files before anything is stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from managed_tables.details import Fault, detail
from managed_tables.errors import INVALID_UPLOAD, UPLOAD_TOO_LARGE, ApiError
from managed_tables.settings import MIB

MAX_FILES = 10  # the contract's
MAX_NAME_CHARACTERS = 255  # what file systems allow
MIME_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "zip": "application/zip",
    "txt": "text/plain",
    "tsv": "text/tab-separated-values",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
    "gz": "application/gzip",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


@dataclass(frozen=True)
class OfferedFile:
    """A file that somebody wants to upload: its name as given, its size as declared or received."""

    name: str
    size_bytes: int

    @property
    def base_name(self) -> str:
        """The name without folders: some browsers send a path."""
        return self.name.replace("\\", "/").rsplit("/", 1)[-1].strip()

    @property
    def extension(self) -> str:
        """The extension in lower case, without its dot; empty where there is none."""
        return self.base_name.rpartition(".")[2].lower() if "." in self.base_name else ""

    @property
    def mime_type(self) -> str:
        """The media type that goes with the extension."""
        return MIME_TYPES.get(self.extension, "application/octet-stream")


def check_files(files: Sequence[OfferedFile], max_bytes: int) -> None:
    """Raise INVALID_UPLOAD (one detail a file) or UPLOAD_TOO_LARGE unless all may be stored."""
    if not files:
        raise ApiError(INVALID_UPLOAD, reason="nenhum arquivo em files")
    if len(files) > MAX_FILES:
        raise ApiError(INVALID_UPLOAD, reason=f"{len(files)} arquivos; o máximo é {MAX_FILES}")
    details = [
        detail("file", fault, file=file.name[:MAX_NAME_CHARACTERS])
        for file in files
        if (fault := _fault(file)) is not None
    ]
    if details:
        first = details[0]
        raise ApiError(INVALID_UPLOAD, details, reason=f"{first['file']}: {first['reason']}")
    if sum(file.size_bytes for file in files) > max_bytes:
        raise ApiError(UPLOAD_TOO_LARGE, limit_mb=max_bytes // MIB)


def _fault(file: OfferedFile) -> Fault | None:
    name = file.base_name
    if len(name) > MAX_NAME_CHARACTERS:
        return Fault("TOO_LONG", f"o nome passa de {MAX_NAME_CHARACTERS} caracteres")
    if not name.isprintable():
        return Fault("INVALID_CHARACTER", "o nome contém um caractere inválido")
    if file.extension not in MIME_TYPES:
        known = ", ".join(f".{one}" for one in MIME_TYPES)
        return Fault("UNKNOWN_EXTENSION", f"extensão desconhecida; use {known}")
    if file.size_bytes == 0:
        return Fault("EMPTY_FILE", "o arquivo está vazio")
    return None
