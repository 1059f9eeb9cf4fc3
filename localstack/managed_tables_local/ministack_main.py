"""Runs MiniStack, in MiniStack's own environment, and saves its state every few seconds.

MiniStack saves when it is asked to end; a machine that goes down or a `kill -9` would otherwise take the
tables' metadata along. It is started by `emulator.py`, whose settings come in the environment.
"""

import logging
import os
import socket
import sys
import threading
import time

from ministack import app  # type: ignore[import-not-found]  # lives in another environment
from ministack.core import persistence  # type: ignore[import-not-found]

_INTERVAL_SECONDS = 5.0
_SHARE = 0.05  # of the time, at most, goes into saving


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
    logging.getLogger("persistence").setLevel(logging.WARNING)
    if persistence.PERSIST_STATE:
        threading.Thread(target=_save_for_ever, daemon=True).start()
    del sys.argv[1:]  # the folder, by which the process is told apart; MiniStack has no such argument
    app.main()
