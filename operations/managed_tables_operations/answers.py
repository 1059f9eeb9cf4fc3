"""Keep what a command prints in the bucket, line by line, and follow it from anywhere.

A command may take a quarter of an hour, for which no connection to it need hold: `operations/<request>.log`
has what it has printed so far, and in the end its exit code. It is written whole each time, since S3 cannot
append, and from time to time where nothing has changed, so that a command that was killed shows as silent.
"""

import io
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from managed_tables_operations import OperatorError

WRITE_SECONDS = 2.0  # between two writes of what has come since
ALIVE_SECONDS = 20.0  # and of what has not changed
SILENT_SECONDS = 90.0  # after which a command is taken for dead
START_SECONDS = 180.0  # a function in a network takes some of them, a burst of others more
_END = re.compile(r"^ended with (\d+)\n\Z", re.MULTILINE)


def answer_key(request: str) -> str:
    """Return where the answer to a request is kept."""
    return f"operations/{request}.log"


class Answer(io.TextIOBase):
    """A stream whose text is kept by `put` while it comes."""

    def __init__(self, put: Callable[[bytes], object]) -> None:
        self._put = put
        self._text = ""
        self._changing = threading.Lock()
        self._ended = threading.Event()
        self._writing = threading.Thread(target=self._write_on, daemon=True)
        self._writing.start()

    def write(self, text: str) -> int:
        """Take some more of what is printed."""
        with self._changing:
            self._text += text
        return len(text)

    def end(self, code: int) -> None:
        """Write the rest, and how the command has ended."""
        self._ended.set()
        self._writing.join()
        self._put(f"{self._text}ended with {code}\n".encode())

    def _write_on(self) -> None:
        written, written_at = "", time.monotonic()
        while not self._ended.wait(WRITE_SECONDS):
            with self._changing:
                text = self._text
            if text != written or time.monotonic() - written_at > ALIVE_SECONDS:
                try:
                    self._put(text.encode())
                except Exception:  # noqa: S112 - the next write has it all, and the command goes on
                    continue
                written, written_at = text, time.monotonic()


def follow(read: Callable[[], dict[str, Any] | None], pause_seconds: float = 1.0) -> Iterator[str | int]:
    """Yield each line as it comes, and the exit code in the end; `read` gives S3's answer, None for none yet.

    Raises OperatorError where nothing begins, or nothing more is heard.
    """
    begun_at, shown = time.monotonic(), 0
    while True:
        found = read()
        if found is None:
            if time.monotonic() - begun_at > START_SECONDS:
                raise OperatorError("no answer has begun: may this role read operations/ of the bucket?")
        else:
            text = found["Body"].read().decode()
            end = _END.search(text)
            whole = text[: end.start()] if end else text[: text.rfind("\n") + 1]
            yield from whole[shown:].splitlines()
            shown = len(whole)
            if end:
                yield int(end[1])
                return
            _require_life(found)
        time.sleep(pause_seconds)


def _require_life(found: dict[str, Any]) -> None:
    written: datetime = found["LastModified"]
    now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])  # S3's own clock
    if (now - written).total_seconds() > SILENT_SECONDS:
        raise OperatorError(
            f"nothing was heard of it since {written:%H:%M:%S} UTC: it was killed, or its time was over."
            " What it was at is ended within two minutes (resume); then run it again"
        )


def reader(s3: Any, bucket: str, request: str) -> Callable[[], dict[str, Any] | None]:
    """Return what reads the answer to a request, None while there is none."""

    def read() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = s3.get_object(Bucket=bucket, Key=answer_key(request))
        except ClientError as error:
            # Without the right to list, S3 says 403 of what is not there
            if error.response["Error"]["Code"] in {"NoSuchKey", "404", "403", "AccessDenied"}:
                return None
            raise
        return found

    return read
