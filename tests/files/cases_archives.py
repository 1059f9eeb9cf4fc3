"""Cases of archives that are damaged, or that no program writes so."""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence

from case import Case, case
from zipping import zipped

CSV = "a,b\n1,x\n2,y\n"


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield case(
        "zip/many_entries.zip",
        stored([(f"{number}", b"") for number in range(1_001)]),
        "more than 1,000 entries",
        error="ARCHIVE_TOO_MANY_ENTRIES",
    )
    encrypted = bytearray(stored([("1.csv", CSV.encode())]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + offset] |= 1
    yield case("zip/encrypted.zip", bytes(encrypted), "a password", error="ARCHIVE_ENCRYPTED")
    good = zipped({"1.csv": CSV * 200})
    yield case("zip/truncated.zip", good[: len(good) // 2], "half a file", error="ARCHIVE_CORRUPT")
    flipped = bytearray(stored([("1.csv", CSV.encode())]))
    flipped[flipped.index(b"1,x")] ^= 0x01
    yield case("zip/wrong_checksum.zip", bytes(flipped), "bytes that have changed", error="ARCHIVE_CORRUPT")
    cut = gzip.compress(CSV.encode(), mtime=0)[:-9]
    yield case("zip/gzip_cut.csv.gz", cut, "a gzip that ends too early", error="ARCHIVE_CORRUPT")
    noise = bytes((number * 7_919 + number // 3) % 256 for number in range(4_096))
    yield case("refused/noise.csv", noise, "no text in any encoding", error="FILE_NOT_TABULAR")


def stored(entries: Sequence[tuple[str, bytes]]) -> bytes:
    """Return a ZIP of uncompressed entries."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        for name, part in entries:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part)
    return content.getvalue()
