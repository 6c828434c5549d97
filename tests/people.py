"""People as the plain client of a Flask-SocketIO tutorial: it starts with polls, and becomes a websocket."""

from queue import Empty, Queue
from typing import Any

import pytest
import requests
import socketio


class Person:
    """A client that only knows the tutorial's events."""

    def __init__(self, url: str, authority: str | None = None, **connecting: Any) -> None:
        self.heard: Queue[tuple[str, Any]] = Queue()
        session = requests.Session()
        session.trust_env = False
        session.verify = authority or True
        self.client = socketio.Client(reconnection=False, http_session=session)
        for event in ("status", "message", "time", "top_items", "error"):
            self.client.on(event, lambda data, event=event: self.heard.put((event, data)))
        self.client.connect(url, **connecting)

    def close(self) -> None:
        self.client.disconnect()

    def next(self, event: str) -> Any:
        """The next event of this name; others are passed over."""
        while True:
            try:
                name, data = self.heard.get(timeout=30)
            except Empty:
                pytest.fail(f"no {event} came")
            if name == event:
                return data

    def ask(self, event: str, payload: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.call(event, payload, timeout=30)
        return answer


def meet(room: str, alice: Person, bob: Person) -> None:
    """All that a tutorial's client does, each event by its names and fields; the room is a source with prices."""
    alice.client.emit("join", {"username": "alice", "room": room})
    assert alice.next("status")["msg"] == "alice has entered the room."
    bob.client.emit("join", {"username": "bob", "room": room})
    assert alice.next("status")["msg"] == "bob has entered the room."
    bob.client.emit("message", {"room": room, "msg": "hello"})
    said = alice.next("message")
    assert (said["username"], said["msg"], said["text"]) == ("bob", "hello", "hello")
    assert bob.next("message")["msg"] == "hello"
    assert set(alice.next("time")) == {"time"}
    bob.client.emit("request_top", {"room": room, "by": "price", "limit": 1})
    assert [entry["key"] for entry in bob.next("top_items")["items"]] == ["b"]
    bob.client.emit("leave", {"username": "bob", "room": room})
    assert alice.next("status")["msg"] == "bob has left the room."
