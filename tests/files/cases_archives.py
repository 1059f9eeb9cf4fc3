"""Cases of archives that are damaged, or that no program writes so."""

import gzip
from collections.abc import Iterator
from zipfile import ZIP_STORED

from case import Case, case
from zipping import zipped

CSV = "a,b\n1,x\n2,y\n"


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield case(
        "zip/many_entries.zip",
        zipped({f"{number}": b"" for number in range(1_001)}, ZIP_STORED),
        "more than 1,000 entries",
        error="ARCHIVE_TOO_MANY_ENTRIES",
    )
    stored = zipped({"1.csv": CSV}, ZIP_STORED)
    encrypted = bytearray(stored)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(signature) + offset] |= 1
    yield case("zip/encrypted.zip", bytes(encrypted), "a password", error="ARCHIVE_ENCRYPTED")
    good = zipped({"1.csv": CSV * 200})
    yield case("zip/truncated.zip", good[: len(good) // 2], "half a file", error="ARCHIVE_CORRUPT")
    flipped = bytearray(stored)
    flipped[flipped.index(b"1,x")] ^= 0x01
    yield case("zip/wrong_checksum.zip", bytes(flipped), "bytes that have changed", error="ARCHIVE_CORRUPT")
    cut = gzip.compress(CSV.encode(), mtime=0)[:-9]
    yield case("zip/gzip_cut.csv.gz", cut, "a gzip that ends too early", error="ARCHIVE_CORRUPT")
    noise = bytes((number * 7_919 + number // 3) % 256 for number in range(4_096))
    yield case("refused/noise.csv", noise, "no text in any encoding", error="FILE_NOT_TABULAR")
