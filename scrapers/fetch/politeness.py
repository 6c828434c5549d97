"""Whose turn it is at a host, for all our processes together: a file per host holds the next free moment."""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from scrapers.address import host_and_port
from scrapers.errors import FetchFailed

LONGEST_HOLD = 24 * 3600.0  # seconds; a Retry-After beyond it, or a clock that was set back, is not believed


class Turnstile:
    """Spaces the requests to a host. Moments are of the wall clock, the one that processes share."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def wait(self, url: str, pace: float, patience: float) -> None:
        """Returns when it is our turn at the host of `url`; the next turn is `pace` seconds later.

        Raises FetchFailed at once, and takes no turn, if that would take longer than `patience` seconds. A host that
        asks us to wait while we sleep is asked later.
        """
        until = time.time() + patience
        while True:
            with self._next_turn(url) as turn:
                now = time.time()
                mine = max(now, turn.at)
                if mine > until:
                    raise FetchFailed(f"the host asks us to wait {mine - now:.0f} s more", page=url)
                turn.at = mine + pace
            if mine <= now:
                return
            time.sleep(mine - now)
            with self._next_turn(url) as turn:
                if turn.held <= time.time():
                    return

    def hold(self, url: str, seconds: float) -> None:
        """Nobody's turn comes before `seconds` from now: the host said so, or seems to need it."""
        with self._next_turn(url) as turn:
            turn.held = max(turn.held, time.time() + min(seconds, LONGEST_HOLD))
            turn.at = max(turn.at, turn.held)

    @contextlib.contextmanager
    def _next_turn(self, url: str) -> Iterator["_Turn"]:
        host, port = host_and_port(url)
        name = re.sub(r"[^a-z0-9.-]", "_", host)[:100]
        descriptor = os.open(self._folder / f"{name}_{port}", os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            turn = _Turn(file)
            yield turn
            if max(turn.at, turn.written) > time.time():  # else it is anybody's turn, and the file does not deny it
                turn.write(file)


class _Turn:
    """A host's file: `at` is the next free moment, `held` the one before which the host wants nobody."""

    def __init__(self, file: IO[str]) -> None:
        try:
            self.written, held = map(float, (file.read() or "0 0").split())
        except ValueError:  # half written in a power cut
            self.written = held = 0.0
        self.at, self.held = _believed(self.written), _believed(held)

    def write(self, file: IO[str]) -> None:
        file.seek(0)
        file.truncate()
        file.write(f"{self.at!r} {self.held!r}")


def _believed(moment: float) -> float:
    return moment if moment - time.time() <= LONGEST_HOLD else 0.0
