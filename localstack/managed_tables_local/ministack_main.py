"""Serves MiniStack by uvicorn, in MiniStack's own environment, and saves its state every few seconds.

MiniStack saves when it is asked to end; a machine that goes down or a `kill -9` would otherwise take the
tables' metadata along. It is started by `emulator.py`, whose settings come in the environment.
"""

import logging
import os
import resource
import socket
import sys
import threading
import time
from contextlib import suppress
from functools import partialmethod

import uvicorn
from ministack import app  # type: ignore[import-not-found]  # lives in another environment
from ministack.core import lambda_runtime, persistence  # type: ignore[import-not-found]

_INTERVAL_SECONDS = 5.0
_SHARE = 0.05  # of the time, at most, goes into saving
# An answer waits so long for a first line of its function's log: MiniStack's 0.05 s made 60 ms of each silent
# one, of 9 ms of work. A line that comes later is logged with the next call's.
_LOG_WAIT_SECONDS = 0.005


def _save_for_ever() -> None:
    while not _is_listening():  # earlier, it would save the services that are yet to be restored as empty
        time.sleep(_INTERVAL_SECONDS)
    pause = _INTERVAL_SECONDS
    while True:
        time.sleep(pause)
        started = time.monotonic()
        persistence.save_all(app._build_persistence_save_dict())
        pause = max(_INTERVAL_SECONDS, (time.monotonic() - started) / _SHARE)


def _is_listening() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"]))) == 0


if __name__ == "__main__":
    host, port = os.environ["BIND_HOST"], int(os.environ["GATEWAY_PORT"])
    if _is_listening():  # another one: this one would restore the state, and save it before it finds out
        sys.exit(f"{host}:{port} is already in use")
    logging.getLogger("persistence").setLevel(logging.WARNING)
    if persistence.PERSIST_STATE:
        threading.Thread(target=_save_for_ever, daemon=True).start()
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError):  # macOS says that there is no limit, and takes no such number
        resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))  # three a function's process
    drain = lambda_runtime.Worker._drain_stderr_bounded
    lambda_runtime.Worker._drain_stderr_bounded = partialmethod(drain, first_line_wait=_LOG_WAIT_SECONDS)
    # hypercorn takes twice as long; by uvloop the loser of a race for the port goes on without it
    uvicorn.run(
        app.app, host=host, port=port, loop="asyncio", log_level="warning", date_header=False,
        timeout_keep_alive=75, timeout_graceful_shutdown=3, proxy_headers=False, server_header=False,
    )  # fmt: skip
