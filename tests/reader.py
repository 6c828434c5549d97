"""A program that follows a room by the rule, and counts what breaks it."""

from collections.abc import Callable
from threading import Condition
from typing import Any

import engineio
import socketio
import websocket

DEADLINE = 60.0  # seconds


class _InOrder(engineio.Client):  # type: ignore[misc]
    """Hands on what comes in the order in which it came; the library's own does so in a thread each."""

    def _trigger_event(self, event: str, *args: Any, **_run_async: Any) -> Any:
        return super()._trigger_event(event, *args, run_async=False)


class _Closing(websocket.WebSocket):
    """Is closed when nobody has it any more: the library drops one that broke before its first packet."""

    def __del__(self) -> None:
        self.shutdown()


class Client(socketio.Client):  # type: ignore[misc]
    """A Socket.IO client that hears one thing after the other."""

    def _engineio_client_class(self) -> type:
        return _InOrder


class Reader:
    """Follows rooms on one connection. `entries[room]` is key -> change of what is present there, its `data` whole.

    A room goes by the name that the answer to its join gives. `serializer` is "default" (JSON) or "msgpack".
    """

    def __init__(self, url: str, token: str | None = None, serializer: str = "default") -> None:
        self.url = url
        self._auth = {"token": token} if token else None
        self.entries: dict[str, dict[str, dict[str, Any]]] = {}
        self.cursors: dict[str, tuple[int, str]] = {}  # room -> offset, epoch
        self.changes: dict[str, list[dict[str, Any]]] = {}  # room -> all that was taken
        self.frames: dict[str, list[int]] = {}  # room -> how many changes each frame had
        self.watermarks: dict[str, dict[str, Any]] = {}
        self.marks = 0  # watermarks that came
        self.early: list[tuple[str, int, int]] = []  # watermarks ahead of what was sent before: room, upto, cursor
        self.resets: list[str] = []
        self.unfounded: list[str] = []  # rooms joined again because a delta did not build on what was there
        self.errors: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self._moved = Condition()
        self._client = Client(reconnection=False, serializer=serializer, websocket_extra_options={"class_": _Closing})
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
            if since is None:
                self.cursors.pop(room, None)
            elif not {"where", "delta"} & more.keys():
                self._open(room, since)
                self.cursors[room] = (since, more.get("epoch", ""))
        answer = self.ask("join", {"room": room, **({} if since is None else {"since": since}), **more})
        with self._moved:
            if answer["ok"]:
                self._open(answer["room"], answer["offset"] if since is None else since)
        return answer

    def _open(self, room: str, cursor: int) -> None:
        self.entries.setdefault(room, {})
        self.changes.setdefault(room, [])
        self.cursors.setdefault(room, (cursor, ""))

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
            self.frames.setdefault(room, []).append(len(frame["changes"]))
            self._open(room, frame["after"])  # its first frame may overtake the answer that names it
            cursor, epoch = self.cursors[room]
            if epoch and frame["epoch"] != epoch:
                self.violations.append(f"epoch {frame['epoch']} without a reset")
            if frame["after"] > cursor:
                self.violations.append(f"hole in {room}: at {cursor}, a frame after {frame['after']}")
            for change in frame["changes"]:
                if change["offset"] > cursor:
                    if not self._founded(room, change):
                        return
                    self._apply(room, change)
            self.cursors[room] = (max(cursor, frame["upto"]), frame["epoch"])
            self._moved.notify_all()

    def _founded(self, room: str, change: dict[str, Any]) -> bool:
        """Makes a delta's data whole; when it does not build on what is here, asks again from the cursor."""
        if "delta" not in change:
            return True
        held = self.entries[room].get(change["key"])
        if held is None or held["version"] != change["version"] - 1:
            self.unfounded.append(room)
            offset, epoch = self.cursors[room]
            self._client.emit("join", {"room": room, "since": offset, "epoch": epoch})
            return False
        kept = {name: value for name, value in held["data"].items() if name not in change["gone"]}
        change["data"] = {**kept, **change["delta"]}
        return True

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
            room, upto = watermark["room"], watermark["upto"]
            self.watermarks[room] = watermark
            self.marks += 1
            cursor, epoch = self.cursors.get(room, (upto, ""))
            if upto > cursor and watermark["epoch"] == epoch:
                self.early.append((room, upto, cursor))
            self._moved.notify_all()

    def _reset(self, reset: dict[str, Any]) -> None:
        with self._moved:
            room = reset["room"]
            self.resets.append(room)
            self.entries[room] = {}
            self.cursors[room] = (0, reset["epoch"])
            self._moved.notify_all()
