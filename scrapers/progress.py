"""How far a run is: a moving line on a terminal, now and then a line in a log; entries on stdout if they are wanted."""

import os
import time
from typing import BinaryIO

import structlog
from rich.console import Console
from rich.status import Status

from ingest_api.contract import Entry
from ingest_api.contract.wire import encode
from scrapers.visit import Visit

EVERY = 5.0  # seconds between two lines in a log

log = structlog.get_logger()


class Progress:
    """Told of each entry by `show`. Where there is an `out`, each goes there as a line of JSON."""

    def __init__(self, screen: Console, visit: Visit, out: BinaryIO | None) -> None:
        self._visit = visit
        self._out = out
        is_shared = out is not None and out.isatty()  # a moving line among the entries
        self._status = Status("reading …", console=screen) if screen.is_terminal and not is_shared else None
        self._seen = 0
        self._told = time.monotonic()

    def __enter__(self) -> "Progress":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._status:
            self._status.stop()

    def show(self, entry: Entry) -> None:
        self._seen += 1
        if self._out:
            self._print(self._out, entry)
        if self._status:
            self._status.update(f"{self._seen} entries, {self._visit.pages} pages")
        elif time.monotonic() - self._told >= EVERY:
            self._told = time.monotonic()
            log.info("reading", seen=self._seen, pages=self._visit.pages)

    def _print(self, out: BinaryIO, entry: Entry) -> None:
        try:
            out.write(encode(entry) + b"\n")
            out.flush()
        except BrokenPipeError:  # `| head` has seen enough; the run goes on
            self._out = None
            os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
