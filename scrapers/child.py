"""A worker seen from the scheduler: a process in a session of its own, ended as a whole group."""

import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from scrapers.errors import Crashed, Hung
from scrapers.orders import Done, Order

START = 60.0  # seconds a worker may take to be ready
DELIVER = 90.0  # seconds it may take to hand on what it read
_POLL = 0.02


class Child:
    """The worker of one source. One thread gives orders; `kill` may come from another."""

    def __init__(self, source: str, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scrapers.worker", source, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._heard = b""
        self._ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def read(self, run_id: str, next_run: datetime | None, limit: float) -> None:
        """Has the portal read. Raises Hung at the limit (seconds), Crashed."""
        if not self._ready:
            self._hear("ready", START)
            self._ready = True
        order = msgspec.json.encode(Order(run_id, next_run)) + b"\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(order)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError) as error:  # ValueError: it was dismissed
            raise Crashed(self._end_said()) from error
        self._hear("read", limit, f"the run took longer than its limit of {limit:g} s and was ended")

    def delivered(self) -> Done:
        """What the worker says of the run once it has delivered. Raises Hung, Crashed."""
        return msgspec.convert(self._hear("done", DELIVER), Done)

    def kill(self) -> None:
        """Ends the whole group now; a thread that waits for an answer gets Crashed."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def dismiss(self) -> None:
        """Asks it to end, after a run that is under way."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()

    def end(self, grace: float) -> None:
        """Lets it end in order within `grace` seconds, then ends what is left of its group, and waits for it."""
        self.dismiss()
        until = time.monotonic() + grace
        while not self._is_over() and time.monotonic() < until:
            time.sleep(_POLL)
        self.kill()  # as long as it is not waited for, its number cannot be anybody else's
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _is_over(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _hear(self, event: str, within: float, late: str | None = None) -> dict[str, Any]:
        """The next answer, which must be this event."""
        until = time.monotonic() + within
        while b"\n" not in self._heard:
            self._heard += self._more(until - time.monotonic(), late or f"no {event} within {within:g} s")
        line, _, self._heard = self._heard.partition(b"\n")
        answer: dict[str, Any] = msgspec.json.decode(line)
        if answer["event"] != event:
            raise Crashed(f"the worker said {answer['event']} where {event} was expected")
        return answer

    def _more(self, within: float, late: str) -> bytes:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(max(0.0, within)):
                raise Hung(late)
        more = os.read(self._process.stdout.fileno(), 65536)
        if not more:
            raise Crashed(self._end_said())
        return more

    def _end_said(self) -> str:
        ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        if ended and ended.si_code == os.CLD_EXITED:
            return f"the scraper's process ended with code {ended.si_status}"
        return f"the scraper's process was ended by signal {ended.si_status if ended else '?'}"
