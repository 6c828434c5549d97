"""The page's module in Node, as one more client: it comes back by itself, and says what it took."""

import json
import os
import subprocess
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.faults.follower import Changes, Moved
from tests.realtime.test_web_modules import node

SCRIPT = Path(__file__).parent / "follow.mjs"
NEEDED = "Node or socket.io-client is missing: run `make setup`, or install nodejs"


class Noded:
    """`realtime/web/js/feed.js` on the real socket.io-client. The moments are Node's own, which has the same monotonic
    clock; the process ends with its standard input, so also when the tests are killed."""

    def __init__(self, url: str, source: str, *, history: bool = False) -> None:
        self.url = url
        self.name = "Node, history" if history else "Node"
        self.history = history
        self.cursor = 0
        self.lives: list[Changes] = [[]]
        self.moves: list[Moved] = []
        self.spans: list[tuple[float, float]] = []
        self.violations: list[str] = []
        self.ticks: list[str] = []
        self._join = json.dumps({"room": source, "history": history})
        self._epoch = ""
        self._since: float | None = None  # when it entered its room on this connection
        self._held: dict[str, dict[str, Any]] = {}  # as it says at its end
        self._process: subprocess.Popen[str] | None = None
        self._listener = Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "Noded":
        command = node()
        if command is None or not (ROOT / "node_modules" / "socket.io-client").exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)(NEEDED)
        self._process = subprocess.Popen(
            [command, str(SCRIPT), self.url, self._join], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        try:
            ended = process.wait(30)
        finally:
            process.kill()
            process.wait()
            self._listener.join(30)
            assert process.stdout is not None
            process.stdout.close()
        if ended:
            self.violations.append(f"it ended with {ended}")

    @property
    def there(self) -> bool:
        """Whether it is connected, and in its room."""
        return self._since is not None

    def steps(self) -> dict[str, int]:
        """Of the module's own entries, once it has gone."""
        return {key: data["step"] for key, data in self._held.items()}

    def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            getattr(self, f"_{said['what']}")(said)

    def _joined(self, said: dict[str, Any]) -> None:
        if self._since is None:  # it may ask again on one connection
            self._since = said["at"]

    def _gone(self, said: dict[str, Any]) -> None:
        since, self._since = self._since, None
        if since is not None:
            self.spans.append((since, said["at"]))

    def _time(self, said: dict[str, Any]) -> None:
        self.ticks.append(said["time"])

    def _entries(self, said: dict[str, Any]) -> None:
        if self._epoch and said["epoch"] != self._epoch:
            self.violations.append(f"epoch {said['epoch']} without a reset")
        if said["after"] > self.cursor:
            self.violations.append(f"hole: at {self.cursor}, a frame after {said['after']}")
        self._epoch = self._epoch or said["epoch"]
        self.lives[-1] += said["changes"]
        self.cursor = said["cursor"]
        self.moves.append(Moved(said["at"], self.cursor))

    def _reset(self, said: dict[str, Any]) -> None:
        if said["epoch"] == self._epoch and self.cursor:  # the answer to a join and the event both tell of a new one
            self.violations.append(f"sent back to the beginning from {self.cursor}, in the same epoch")
        self.lives.append([])
        self.cursor, self._epoch = 0, said["epoch"]

    def _present(self, said: dict[str, Any]) -> None:
        self._held = said["entries"]
