"""Unpack ZIP and gzip files within bounds that are checked before anything is unpacked, and while unpacking.

What the directory says about the members is checked first (count, sizes, ratio, overlap, names); then the
unpacked bytes are counted, since a directory can lie.
"""

import errno
import gzip
import re
import struct
import zipfile
import zlib
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO

from managed_tables.errors import (
    ARCHIVE_CORRUPT,
    ARCHIVE_EMPTY,
    ARCHIVE_ENCRYPTED,
    ARCHIVE_MEMBERS_REFUSED,
    ARCHIVE_NESTED,
    ARCHIVE_TOO_LARGE,
    ARCHIVE_TOO_MANY_ENTRIES,
    ARCHIVE_UNSAFE,
    ARCHIVES_TOO_LARGE,
    FILE_EMPTY,
    JobError,
)
from managed_tables.settings import MIB
from managed_tables_reader.files.kinds import UNZIP_ERRORS, Kind, detect_kind

MAX_ENTRIES = 1_000  # the clarifications' limit
MAX_UNPACKED_BYTES = 1_024 * MIB  # the clarifications' limit, where no other is set
# Of OSErrors that damage causes: bzip2 sets none, and an offset from a damaged directory is not in the file.
# Any other error is the machine's, such as a full disk, and is raised.
_DAMAGE = frozenset({None, errno.EINVAL})
MAX_RATIO = 200  # unpacked to packed; tables compress 3 to 40 times, a sheet of one row again and again 100
RATIO_FREE_BYTES = 64 * MIB  # may unpack at any ratio: a small file of repetitions is no bomb
_CHUNK_BYTES = 1_048_576
_BOMB = "o conteúdo está comprimido demais para serem dados"
_ENCRYPTED_FLAG, _UTF8_FLAG = 0x1, 0x800
_UNIX, _SYMLINK_TYPE, _TYPE_MASK = 3, 0o120000, 0o170000
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
# A name says that a member is not a table.
_FOREIGN_NAME = re.compile(
    r"(?is).*\.(pdf|png|jpe?g|gif|docx?|pptx?|mp[34]|exe|dll|sh|rar|7z|xml|sql|py|js|bat|mdb|accdb|dbf)"
)
_READABLE = frozenset(Kind) - {Kind.ZIP, Kind.OTHER}


@dataclass
class Room:
    """How many bytes all archives of a job may unpack to, and how many are left of them."""

    limit: int = MAX_UNPACKED_BYTES
    left: int = MAX_UNPACKED_BYTES

    def too_large(self, name: str, *, alone: bool) -> JobError:
        """Return the error for an archive that is too large alone, or together with those before it."""
        kind = ARCHIVE_TOO_LARGE if alone else ARCHIVES_TOO_LARGE
        return JobError(kind, file=name, limit_mb=self.limit // MIB)


def unpack(path: Path, name: str, work_dir: Path, room: Room) -> Generator[tuple[str, Path], None, None]:
    """Yield each data file's name, as people see it, and its path in `work_dir`, where it is unpacked.

    The caller deletes each file after reading it, and takes it from the room. Raises JobError
    (`ARCHIVE_…`) for an archive that is refused, before anything is unpacked if the directory shows why.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = _data_members(archive, name)
            _check(infos, path, name, room)
            left = room.left
            for number, info in enumerate(infos):
                target = work_dir / f"{path.name}.{number:04d}"
                left -= _unpack_member(archive, info, target, name, replace(room, left=left))
                _check_kind(target, info, name)
                yield _shown_name(info), target
    except zipfile.BadZipFile as error:
        raise JobError(ARCHIVE_CORRUPT, file=name, reason="falta uma parte dele, ou foi alterada") from error
    except (*UNZIP_ERRORS, ValueError) as error:
        if isinstance(error, OSError) and error.errno not in _DAMAGE:
            raise
        raise JobError(ARCHIVE_CORRUPT, file=name, reason="os dados não podem ser descompactados") from error


def gunzip(path: Path, name: str, target: Path, room: Room) -> None:
    """Unpack a gzip file that has room to `target`; JobError if damaged, a bomb or nested."""
    packed = path.stat().st_size
    try:
        with gzip.open(path) as source, target.open("wb") as out:
            _copy(source, out, name, room, max(RATIO_FREE_BYTES, packed * MAX_RATIO))
    except (zlib.error, EOFError, gzip.BadGzipFile) as error:
        raise JobError(ARCHIVE_CORRUPT, file=name, reason="falta uma parte dele, ou foi alterada") from error
    if target.stat().st_size == 0:
        raise JobError(FILE_EMPTY, file=name)
    if detect_kind(target)[0] in (Kind.ZIP, Kind.GZIP):
        raise JobError(ARCHIVE_NESTED, file=name, member=name.removesuffix(".gz"))


def _copy(source: IO[bytes] | gzip.GzipFile, out: IO[bytes], name: str, room: Room, ratio_bytes: int) -> int:
    """Copy what is unpacked and return how many bytes; JobError beyond the room or `ratio_bytes`."""
    written = 0
    while chunk := source.read(_CHUNK_BYTES):
        written += len(chunk)
        if written > room.left:
            raise room.too_large(name, alone=True)
        if written > ratio_bytes:
            raise JobError(ARCHIVE_UNSAFE, file=name, reason=_BOMB)
        out.write(chunk)
    return written


def _data_members(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Return the members that are not folders, dot-files or a Mac's resource forks, in order."""
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise JobError(ARCHIVE_TOO_MANY_ENTRIES, file=name, count=len(infos), limit=MAX_ENTRIES)
    members = [info for info in infos if not info.filename.endswith("/") and not _is_noise(info)]
    if not members:
        raise JobError(ARCHIVE_EMPTY, file=name)
    return members


def _is_noise(info: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(info.filename.replace("\\", "/")).parts
    return "__MACOSX" in parts or (bool(parts) and parts[-1].startswith(".") and parts[-1] not in (".", ".."))


def _check(infos: list[zipfile.ZipInfo], path: Path, name: str, room: Room) -> None:
    for info in infos:
        _check_member(info, name)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > room.left:
        raise room.too_large(name, alone=unpacked > room.limit)
    if any(info.file_size > max(RATIO_FREE_BYTES, info.compress_size * MAX_RATIO) for info in infos):
        raise JobError(ARCHIVE_UNSAFE, file=name, reason=_BOMB)
    refused = list(filter(_FOREIGN_NAME.fullmatch, map(_shown_name, infos)))
    if refused:
        raise JobError(ARCHIVE_MEMBERS_REFUSED, file=name, members=", ".join(refused[:10]))
    _check_overlap(infos, path, name)


def _check_member(info: zipfile.ZipInfo, name: str) -> None:
    shown = _shown_name(info)
    if info.flag_bits & _ENCRYPTED_FLAG or info.compress_type == 99:
        raise JobError(ARCHIVE_ENCRYPTED, file=name, member=shown)
    if info.create_system == _UNIX and (info.external_attr >> 16) & _TYPE_MASK == _SYMLINK_TYPE:
        raise JobError(ARCHIVE_UNSAFE, file=name, reason=f"{shown} é um atalho (link simbólico)")
    if shown.lower().endswith(".zip"):
        raise JobError(ARCHIVE_NESTED, file=name, member=shown)


def _check_overlap(infos: list[zipfile.ZipInfo], path: Path, name: str) -> None:
    """Refuse members that share bytes: one compressed stream listed many times unpacks without bound."""
    end = 0
    with path.open("rb") as file:
        for info in sorted(infos, key=lambda one: one.header_offset):
            file.seek(info.header_offset)
            fields = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            if info.header_offset < end:
                raise JobError(ARCHIVE_UNSAFE, file=name, reason="há arquivos dele que ocupam o mesmo lugar")
            end = info.header_offset + _LOCAL_HEADER.size + fields[9] + fields[10] + info.compress_size


def _unpack_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, name: str, room: Room
) -> int:
    with archive.open(info) as source, target.open("wb") as out:
        written = _copy(source, out, name, room, room.left)  # its directory may give a false size
    if written != info.file_size:
        raise JobError(ARCHIVE_CORRUPT, file=name, reason=f"o tamanho de {_shown_name(info)} é falso")
    return written


def _check_kind(path: Path, info: zipfile.ZipInfo, name: str) -> None:
    kind, words = detect_kind(path)
    if kind is Kind.ZIP:
        raise JobError(ARCHIVE_NESTED, file=name, member=_shown_name(info))
    if kind not in _READABLE:
        raise JobError(ARCHIVE_MEMBERS_REFUSED, file=name, members=f"{_shown_name(info)} ({words})")


def _shown_name(info: zipfile.ZipInfo) -> str:
    """Return the member's name with its folders, none above; old Windows tools write code page 850."""
    name = info.filename
    if not info.flag_bits & _UTF8_FLAG:
        with suppress(UnicodeEncodeError):
            raw = name.encode("cp437")  # as zipfile has decoded it
            try:
                name = raw.decode()
            except UnicodeDecodeError:
                name = raw.decode("cp850")
    parts = PurePosixPath(name.replace("\\", "/").replace("\x00", "")).parts
    return "/".join(part for part in parts if part.strip("./"))[-255:] or "sem_nome"
