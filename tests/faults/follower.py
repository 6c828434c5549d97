"""Clients that come back whenever they lose their server, and keep all that they were told."""

import time
from threading import Event, Thread
from typing import Any, NamedTuple, Protocol

from socketio.exceptions import SocketIOError

from tests.reader import Reader

ANSWER = 3.0  # seconds until a join that is not answered is tried on another connection
PAUSE = 0.1  # seconds between tries

Changes = list[dict[str, Any]]


class Moved(NamedTuple):
    """The client had everything up to `cursor`, at a moment of this process's monotonic clock."""

    at: float
    cursor: int


class Following(Protocol):
    """A client of one source. `lives` is what it took, one list for each epoch that it was told of."""

    url: str
    name: str
    history: bool  # it takes every change; else the newest of each entry will do where it catches up
    lives: list[Changes]
    moves: list[Moved]
    spans: list[tuple[float, float]]  # when it was connected, and in its room
    violations: list[str]

    @property
    def there(self) -> bool:
        """Whether it is connected, and in its room."""

    @property
    def cursor(self) -> int: ...

    def steps(self) -> dict[str, int]:
        """Key -> step of what is present; some know it once they have gone."""


class Follower(Reader):
    """The Python client."""

    def __init__(self, url: str, source: str, *, history: bool = False) -> None:
        super().__init__(url)
        self.name = "Python, history" if history else "Python"
        self.history = history
        self.lives: list[Changes] = [[]]
        self.moves: list[Moved] = []
        self.spans: list[tuple[float, float]] = []
        self.ticks: list[str] = []
        self._source = source
        self._since: float | None = None  # when it entered its room on this connection
        self._lost = Event()
        self._ending = Event()
        self._client.on("disconnect", self._gone)
        self._client.on("time", lambda tick: self.ticks.append(tick["time"]))
        self._keeper = Thread(target=self._keep, daemon=True)
        self._open(source, 0)

    def __enter__(self) -> "Follower":
        self._keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._lost.set()
        self._keeper.join(30)
        self._client.disconnect()
        self._gone()

    @property
    def there(self) -> bool:
        """Whether it is connected, and in its room."""
        return self._since is not None

    @property
    def cursor(self) -> int:
        return self.cursors[self._source][0]

    def steps(self) -> dict[str, int]:
        return {key: data["step"] for key, data in self.data(self._source).items()}

    def _keep(self) -> None:
        while not self._ending.is_set():
            self._lost.clear()
            if self._come():
                self._lost.wait()
            else:
                self._ending.wait(PAUSE)

    def _come(self) -> bool:
        """One try to connect and to go on from the cursor."""
        try:
            if self._client.connected:
                self._client.disconnect()
            self._client.connect(self.url, transports=["websocket"], wait_timeout=ANSWER)
            offset, epoch = self.cursors[self._source]
            answer = self._client.call(
                "join",
                {"room": self._source, "since": offset, "history": self.history, **({"epoch": epoch} if epoch else {})},
                timeout=ANSWER,
            )
        except (SocketIOError, OSError, ValueError):
            return False
        if answer["ok"]:
            self._since = time.monotonic()
        return bool(answer["ok"])

    def _gone(self, *_: object) -> None:
        since, self._since = self._since, None
        if since is not None:
            self.spans.append((since, time.monotonic()))
        self._lost.set()

    def _entries(self, frame: dict[str, Any]) -> None:
        super()._entries(frame)
        self.moves.append(Moved(time.monotonic(), self.cursor))

    def _apply(self, room: str, change: dict[str, Any]) -> None:
        super()._apply(room, change)
        self.lives[-1].append(change)

    def _reset(self, reset: dict[str, Any]) -> None:
        if reset["epoch"] == self.cursors[self._source][1]:
            self.violations.append(f"sent back to the beginning from {self.cursor}, in the same epoch")
        self.lives.append([])
        super()._reset(reset)
