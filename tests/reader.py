"""A program that follows a room by the rule, and counts what breaks it."""

from collections.abc import Callable
from threading import Condition
from typing import Any

import socketio

DEADLINE = 60.0  # seconds


class Reader:
    """Follows rooms on one connection. `entries[room]` is key -> change of what is present there."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self._auth = {"token": token} if token else None
        self.entries: dict[str, dict[str, dict[str, Any]]] = {}
        self.cursors: dict[str, tuple[int, str]] = {}  # room -> offset, epoch
        self.changes: dict[str, list[dict[str, Any]]] = {}  # room -> all that was taken
        self.watermarks: dict[str, dict[str, Any]] = {}
        self.resets: list[str] = []
        self.errors: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self._moved = Condition()
        self._client = socketio.Client(reconnection=False)
        for event in ("entries", "watermark", "reset", "error"):
            self._client.on(event, getattr(self, f"_{event}"))

    def __enter__(self) -> "Reader":
        self._client.connect(self.url, auth=self._auth, transports=["websocket"])
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()

    def drop(self) -> None:
        """Loses the connection."""
        self._client.disconnect()

    def ask(self, event: str, *payload: Any) -> dict[str, Any]:
        """The acknowledgement of an event."""
        answer: dict[str, Any] = self._client.call(event, *payload, timeout=30)
        return answer

    def join(self, room: str, since: int | None = 0, **more: Any) -> dict[str, Any]:
        with self._moved:
            self.entries.setdefault(room, {})
            self.changes.setdefault(room, [])
        payload = {"room": room, **({} if since is None else {"since": since}), **more}
        if since is not None:
            self.cursors[room] = (since, more.get("epoch", ""))
        answer = self.ask("join", payload)
        if since is None:
            self.cursors[room] = (answer["offset"], answer["epoch"])
        return answer

    def rejoin(self, room: str) -> dict[str, Any]:
        """Connects again and goes on from the cursor."""
        self._client.connect(self.url, auth=self._auth, transports=["websocket"])
        offset, epoch = self.cursors[room]
        return self.ask("join", {"room": room, "since": offset, "epoch": epoch})

    def wait(self, condition: Callable[[], Any], what: str = "") -> None:
        """Until the condition holds; checked after every event."""
        with self._moved:
            assert self._moved.wait_for(condition, DEADLINE), f"never: {what or condition}; cursors {self.cursors}"

    def reach(self, room: str, offset: int) -> None:
        self.wait(lambda: self.cursors[room][0] >= offset, f"{room} reaches {offset}")

    def data(self, room: str) -> dict[str, Any]:
        """key -> data of what is present."""
        return {key: change["data"] for key, change in self.entries[room].items()}

    def _entries(self, frame: dict[str, Any]) -> None:
        with self._moved:
            room = frame["room"]
            cursor, epoch = self.cursors[room]
            if epoch and frame["epoch"] != epoch:
                self.violations.append(f"epoch {frame['epoch']} without a reset")
            if frame["after"] > cursor:
                self.violations.append(f"hole in {room}: at {cursor}, a frame after {frame['after']}")
            for change in frame["changes"]:
                if change["offset"] > cursor:
                    self._apply(room, change)
            self.cursors[room] = (max(cursor, frame["upto"]), frame["epoch"])
            self._moved.notify_all()

    def _apply(self, room: str, change: dict[str, Any]) -> None:
        taken = self.changes[room]
        if taken and change["offset"] <= taken[-1]["offset"] and room not in self.resets:
            self.violations.append(f"{room}: {change['offset']} after {taken[-1]['offset']}")
        taken.append(change)
        if change["kind"] == "removed":
            self.entries[room].pop(change["key"], None)
        else:
            self.entries[room][change["key"]] = change

    def _error(self, error: dict[str, Any]) -> None:
        with self._moved:
            self.errors.append(error)
            self._moved.notify_all()

    def _watermark(self, watermark: dict[str, Any]) -> None:
        with self._moved:
            self.watermarks[watermark["room"]] = watermark
            self._moved.notify_all()

    def _reset(self, reset: dict[str, Any]) -> None:
        with self._moved:
            room = reset["room"]
            self.resets.append(room)
            self.entries[room] = {}
            self.cursors[room] = (0, reset["epoch"])
            self._moved.notify_all()
