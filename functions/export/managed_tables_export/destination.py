"""Write an object of S3 as a stream: in parts, of which a few are on their way while the next is made."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from managed_tables.aws.storage import Storage

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 * 1_048_576  # S3 takes 10,000 parts of an object: 78 GB
PARTS_UNDER_WAY = 3


class ExportObject:
    """A writable stream into one object, which is there once `finish` has returned."""

    def __init__(self, storage: Storage, key: str, content_type: str, pool: ThreadPoolExecutor) -> None:
        self._storage, self._key, self._content_type, self._pool = storage, key, content_type, pool
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._under_way: deque[Future[CompletedPartTypeDef]] = deque()
        self._parts: list[CompletedPartTypeDef] = []
        self.size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take bytes; raises STORAGE_UNAVAILABLE where an earlier part could not be written."""
        self._buffer += data
        self.size_bytes += len(data)
        if len(self._buffer) >= PART_BYTES:
            self._send()
        return len(data)

    def flush(self) -> None:
        """Do nothing: a part has its size."""

    def finish(self) -> int:
        """Complete the object and return its size in bytes."""
        if self._upload_id is None:
            self._storage.put(self._key, bytes(self._buffer), self._content_type)
        else:
            if self._buffer:
                self._send()
            self._wait(0)
            self._storage.complete_parts(self._key, self._upload_id, self._parts)
            self._upload_id = None
        return self.size_bytes

    def abort(self) -> None:
        """Drop the parts of an object that is not complete."""
        if self._upload_id is not None:
            self._pool.shutdown(cancel_futures=True)
            self._storage.abort_parts(self._key, self._upload_id)

    def _send(self) -> None:
        if self._upload_id is None:
            self._upload_id = self._storage.begin_parts(self._key, self._content_type)
        self._wait(PARTS_UNDER_WAY - 1)
        number = len(self._parts) + len(self._under_way) + 1
        data, self._buffer = bytes(self._buffer), bytearray()
        self._under_way.append(
            self._pool.submit(self._storage.upload_part, self._key, self._upload_id, number, data)
        )

    def _wait(self, left: int) -> None:
        while len(self._under_way) > left:
            self._parts.append(self._under_way.popleft().result())


@contextmanager
def open_destination(storage: Storage, key: str, content_type: str) -> Iterator[ExportObject]:
    """Open a stream into the object; one that is not finished leaves nothing."""
    with ThreadPoolExecutor(PARTS_UNDER_WAY, thread_name_prefix="part") as pool:
        destination = ExportObject(storage, key, content_type, pool)
        try:
            yield destination
        except BaseException:
            destination.abort()
            raise
