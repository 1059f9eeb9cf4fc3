"""Receive the multipart form of an upload into temporary files: a hundred megabytes in little memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from managed_tables.errors import INVALID_UPLOAD, UPLOAD_TOO_LARGE, ApiError
from managed_tables.settings import MIB
from managed_tables_api.http.bodies import stream_body

FORM_OVERHEAD_BYTES = MIB  # boundaries, part headers and the `mode` field, besides the files themselves
MAX_PARTS = 100  # more files than are allowed are still counted, to say how many they are
MAX_FIELDS = 10  # of text, which are held in memory; only `mode` says anything
FIELD_MAX_BYTES = 1_024
DRAINED_MAX_BYTES = 256 * MIB  # read and dropped, so that a client that only then listens hears the 413


@dataclass(frozen=True)
class UploadForm:
    """The fields of the form; the files are rewound."""

    files: list[UploadFile]
    mode: str | None


@asynccontextmanager
async def open_form(request: Request, max_bytes: int) -> AsyncIterator[UploadForm]:
    """Receive the form; its temporary files are gone at the end.

    Raises UPLOAD_TOO_LARGE as soon as the body is longer than the files may be, INVALID_UPLOAD for a body
    that is no such form.
    """
    form = await _parse(request, max_bytes + FORM_OVERHEAD_BYTES)
    try:
        yield _read(form)
    finally:
        await form.close()


async def _parse(request: Request, limit_bytes: int) -> FormData:
    exceeded = ApiError(UPLOAD_TOO_LARGE, limit_mb=(limit_bytes - FORM_OVERHEAD_BYTES) // MIB)

    async def bounded() -> AsyncIterator[bytes]:
        total_bytes = 0
        async for chunk in stream_body(request):
            total_bytes += len(chunk)
            if total_bytes <= limit_bytes:
                yield chunk
            elif total_bytes > DRAINED_MAX_BYTES:
                break
        if total_bytes > limit_bytes:
            raise exceeded

    parser = MultiPartParser(
        request.headers,
        bounded(),  # type: ignore[arg-type]
        max_files=MAX_PARTS,
        max_fields=MAX_FIELDS,
        max_part_size=FIELD_MAX_BYTES,
    )
    try:
        return await parser.parse()
    except MultiPartException as error:
        raise ApiError(INVALID_UPLOAD, reason="formulário multipart malformado") from error


def _read(form: FormData) -> UploadForm:
    values = form.getlist("files")
    files = [value for value in values if isinstance(value, UploadFile)]
    if len(files) != len(values):
        raise ApiError(INVALID_UPLOAD, reason="files deve conter arquivos")
    mode = form.get("mode")
    if isinstance(mode, UploadFile):
        raise ApiError(INVALID_UPLOAD, reason="mode deve ser texto")
    return UploadForm(files, mode)
