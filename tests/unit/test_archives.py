"""ZIP files: bounded, judged by content, and never followed outside."""

import errno
import io
import os
import struct
import zipfile
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from zipping import zipped

from managed_tables.errors import ARCHIVE_CORRUPT, ARCHIVES_TOO_LARGE, JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_reader.files import archives
from managed_tables_reader.reading_files import SourceFile

CSV = b"id,nome\n1,Ana\n2,Bia\n"


def _analyze(folder: Path, content: bytes) -> Analysis:
    path = folder / "00"
    path.write_bytes(content)
    return analyze([SourceFile(path, "envio.zip")], folder, ZoneInfo("UTC"))


def _refusal(folder: Path, content: bytes) -> JobError:
    with pytest.raises(JobError) as raised:
        _analyze(folder, content)
    assert min(os.listdir(folder)) == "00"
    return raised.value


def test_members_are_read_into_one_table_in_order(tmp_path: Path) -> None:
    found = _analyze(tmp_path, zipped({"b.csv": CSV, "pasta/a.csv": b"nome;id\nCaio;3\n"}))
    assert found.document.files == ["envio.zip/b.csv", "envio.zip/pasta/a.csv"]
    rows = duckdb.execute(f"SELECT file, line, c0, c1 FROM {staged_rows(found.staged)}").fetchall()  # noqa: S608
    assert rows == [(0, 2, "1", "Ana"), (0, 3, "2", "Bia"), (1, 2, "3", "Caio")]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_compression_method_is_read(tmp_path: Path, method: int) -> None:
    assert _analyze(tmp_path, zipped({"a.csv": CSV}, method)).document.row_count == 2


def test_invalid_lzma_properties_are_refused_as_corrupt(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": CSV}, zipfile.ZIP_LZMA))
    properties = 30 + len("a.csv") + 4  # they follow the local header, the version and their size
    content[properties] = 0xFF
    assert _refusal(tmp_path, bytes(content)).kind is ARCHIVE_CORRUPT


def test_member_names_cannot_escape_the_folder(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    found = _analyze(work, zipped({"../../fora.csv": CSV, "/etc/fora.csv": CSV, "c:\\x\\fora.csv": CSV}))
    assert found.document.row_count == 6
    assert [path.name for path in tmp_path.iterdir()] == ["work"]


def test_a_member_that_inflates_too_much_is_refused(tmp_path: Path) -> None:
    content = zipped({"a.csv": b"1,2\n" * (20 * 1_048_576)})
    assert _refusal(tmp_path, content).kind.code == "ARCHIVE_UNSAFE"


def test_a_directory_that_declares_too_much_is_refused_before_unpacking(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": CSV}))
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 2_000_000_000)
    assert _refusal(tmp_path, bytes(content)).kind.code == "ARCHIVE_TOO_LARGE"


def test_a_false_size_is_found_while_unpacking(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.csv": CSV * 100}))
    entry = content.index(b"PK\x01\x02")
    struct.pack_into("<I", content, entry + 24, 10)
    assert _refusal(tmp_path, bytes(content)).kind.code == "ARCHIVE_CORRUPT"


def test_archives_of_one_job_are_bounded_together(tmp_path: Path) -> None:
    """With a limit for each archive alone, ten of them could fill the disk."""
    sources = []
    for number, copies in enumerate((2, 1, 1)):
        path = tmp_path / f"{number:02d}"
        path.write_bytes(zipped({f"{one}.csv": CSV for one in range(copies)}))
        sources.append(SourceFile(path, f"{number}.zip"))
    limit = partial(analyze, work_dir=tmp_path, zone=ZoneInfo("UTC"), unpacked_max_bytes=3 * len(CSV))
    assert limit(sources[:2]).document.row_count == 6
    with pytest.raises(JobError) as refused:
        limit(sources)
    assert refused.value.kind is ARCHIVES_TOO_LARGE
    assert "2.zip" in refused.value.message


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_an_operating_system_error_is_raised_for_a_retry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The step is retried, because the file itself is not damaged."""

    def fail(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(archives, "_unpack_member", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        _analyze(tmp_path, zipped({"a.csv": CSV}))


def test_entries_that_share_bytes_are_refused(tmp_path: Path) -> None:
    content = zipped({"a.csv": CSV})
    directory, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    entry = content[directory:end]
    tail = bytearray(content[end:])
    struct.pack_into("<HHI", tail, 8, 2, 2, 2 * len(entry))
    assert _refusal(tmp_path, content[:directory] + entry * 2 + bytes(tail)).kind.code == "ARCHIVE_UNSAFE"


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link.csv")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert _refusal(tmp_path, buffer.getvalue()).kind.code == "ARCHIVE_UNSAFE"


def test_names_from_old_windows_are_decoded_as_cp850(tmp_path: Path) -> None:
    content = zipped({"preXo.csv": CSV}).replace(b"preXo", "preço".encode("cp850"))
    assert _analyze(tmp_path, content).document.files == ["envio.zip/preço.csv"]
