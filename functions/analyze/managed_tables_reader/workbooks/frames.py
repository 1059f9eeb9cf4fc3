"""Write and read the frames that pass through the pipe between the child process and its parent.

A frame is one letter, the length of its body, and the body in `marshal`'s form: two thousand rows at a
time, by column, as they are staged. Both ends are the same interpreter, started by us.
"""

import marshal
import struct
from collections.abc import Callable
from enum import Enum
from typing import IO, Any

_HEADER = struct.Struct(">cI")


class FrameKind(Enum):
    """What a frame holds."""

    STARTED = b"h"
    """Nothing: the child runs, and any failure from here on is due to the file."""
    SHEET = b"s"
    """`(name, visible, shown dates, labels, types)` of the sheet that begins."""
    ROWS = b"r"
    """`(row numbers, columns of cells)`."""
    SHEET_END = b"e"
    """`([(code of a finding, count, values, columns)], merged)` of the sheet that ends."""
    FAILED = b"f"
    """`(error code, reason)`: nothing follows."""
    DONE = b"d"
    """Nothing: the file was read to its end."""


def write_frame(stream: IO[bytes], kind: FrameKind, body: Any = None) -> None:
    """Write one frame; the caller flushes."""
    content = marshal.dumps(body)
    stream.write(_HEADER.pack(kind.value, len(content)))
    stream.write(content)


def read_frame(read: Callable[[int], bytes]) -> tuple[FrameKind, Any] | None:
    """Read one frame by `read(size)`, which returns fewer bytes only at the end; None at the end."""
    header = read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    kind, size = _HEADER.unpack(header)
    content = read(size)
    if len(content) < size:
        return None
    return FrameKind(kind), marshal.loads(content)  # noqa: S302  # written by our own child process
