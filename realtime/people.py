"""The people in a room: who entered, who left, and what they write to each other.

All of it is in the store, so that it is one truth over all processes; what tells of it live goes by Socket.IO's own
messages, which a joiner's replay makes good when one is lost.
"""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import gevent
from flask_socketio import SocketIO
from gevent.event import Event

from ingest_api.contract.entry import plain
from ingest_api.contract.errors import ContractError, Unavailable
from realtime.rooms import Room
from realtime.store import notes, presence
from realtime.store.moments import iso, now
from realtime.store.notes import Note
from realtime.store.presence import NAMED, Left
from realtime.store.store import Store
from realtime.together import Together

BEAT = 5.0  # seconds
TOGETHER = 0.05  # seconds in which comings and goings are told together
EACH = 8  # that are told one by one
LENGTH = 2000  # characters of a note
NOBODY = "someone"  # who writes without having said a name


class Move(NamedTuple):
    """Someone came or went."""

    place: str
    username: str
    what: Literal["entered", "left"]


class EmptyNote(ContractError):
    """A note needs a text."""

    code = "empty_note"


class LongNote(ContractError):
    """A note has at most 2,000 characters."""

    code = "long_note"


class NotInRoom(ContractError):
    """Join the room before you write to the people in it."""

    code = "not_in_room"


def place(room: Room) -> str:
    """Where the people of a room meet: those who see it through different filters are in the same place."""
    return room.base


class People:
    """Who of this process's clients is where, and the word about it. `run` is its loop."""

    def __init__(self, store: Store, socketio: SocketIO) -> None:
        self._store = store
        self._socketio = socketio
        self._shared = Together()
        self._process = uuid4().hex
        self._names: dict[str, dict[str, str | None]] = {}  # sid -> place -> username
        self._gone: list[str] = []  # sids of clients that the store still has in rooms
        self._moves: dict[str, list[Move]] = {}  # place -> who came and went, and nobody was told
        self._stirred = Event()

    def enter(self, sid: str, room: Room, username: str | None) -> dict[str, Any]:
        """A client comes into a room, by name or without one. Returns `{members, people}`: how many, and who.

        Coming again by another name is leaving by the first.
        """
        where = place(room)
        name = _name(username)
        if self._names.get(sid, {}).get(where) not in (None, name):
            self.leave(sid, room)
        self._names.setdefault(sid, {})[where] = name
        self._socketio.server.enter_room(sid, _hall(where))
        if name is not None and self._store.write(
            partial(presence.enter, room=where, sid=sid, process=self._process, username=name, at=now())
        ):
            self._note(Move(where, name, "entered"))
        return self._members(where)

    def leave(self, sid: str, room: Room) -> None:
        where = place(room)
        if where in self._names.get(sid, {}):
            del self._names[sid][where]
            self._socketio.server.leave_room(sid, _hall(where))
            self._left(self._store.write(partial(presence.leave, room=where, sid=sid, at=now())))

    def drop(self, sid: str) -> None:
        """The client is gone. Never switches: it may be the writer itself that found it so."""
        if any(self._names.pop(sid, {}).values()):
            self._gone.append(sid)
            self._stirred.set()

    def say(self, sid: str, room: Room | None, text: str) -> dict[str, Any]:
        """A client writes to a room; None is the only one that it is in."""
        mine = self._names.get(sid, {})
        where = place(room) if room else next(iter(mine)) if len(mine) == 1 else None
        if where is None or where not in mine:
            raise NotInRoom
        text = plain(text).strip()
        if not text:
            raise EmptyNote
        if len(text) > LENGTH:
            raise LongNote
        name = mine[where] or NOBODY
        note = self._store.write(
            partial(notes.add, room=where, username=name, text=text, at=now(), utterance=uuid4().hex)
        )
        self._socketio.emit("message", _wire(note), to=_hall(where))
        return {"room": where, "id": note.id}

    def replay(self, sid: str, room: Room) -> None:
        """Tells a client that came the notes that are there."""
        try:
            kept = self._recent(place(room))
        except Unavailable:
            return
        for note in kept:
            self._socketio.emit("message", _wire(note), to=sid, ignore_queue=True)

    def run(self) -> None:
        """Says that this process is there and whose is not, and who came and went, for ever."""
        beaten = 0.0
        while True:
            try:
                self._forget()
                if time.monotonic() - beaten >= BEAT:
                    self._left(self._store.write(partial(presence.beat, process=self._process, at=now())))
                    beaten = time.monotonic()
                self._tell()
            except Unavailable:
                gevent.sleep(TOGETHER)
            self._stirred.wait(BEAT)
            self._stirred.clear()
            gevent.sleep(TOGETHER)

    def _forget(self) -> None:
        gone, self._gone = self._gone, []
        try:
            if gone:
                self._left(self._store.write(partial(presence.drop, sids=gone, at=now())))
        except Unavailable:
            self._gone += gone  # unless their process ends before: then another one finds out
            raise

    def _left(self, gone: list[Left]) -> None:
        for left in gone:
            self._note(Move(left.room, left.username, "left"))

    def _note(self, move: Move) -> None:
        self._moves.setdefault(move.place, []).append(move)
        self._stirred.set()

    def _tell(self) -> None:
        """One by one, or, when many came or went at once, with one word for all of them."""
        while self._moves:
            where = next(iter(self._moves))
            members = self._members(where)
            for msg in _words(self._moves.pop(where)):
                self._socketio.emit("status", {"room": where, "msg": msg, **members}, to=_hall(where))

    def _recent(self, where: str) -> list[Note]:
        return self._shared.read(f"notes of {where}", lambda: self._store.read(partial(notes.recent, room=where)))

    def _members(self, where: str) -> dict[str, Any]:
        def there() -> list[str]:
            return self._store.read(partial(presence.people, room=where, at=now()))

        names = self._shared.read(f"people of {where}", there)
        return {"members": len(names), "people": names[:NAMED]}


def _words(moves: list[Move]) -> Iterator[str]:
    if len(moves) <= EACH:
        for move in moves:
            yield f"{move.username} has {move.what} the room."
        return
    for what in ("entered", "left"):
        names = [move.username for move in moves if move.what == what]
        if names:
            others = f" and {len(names) - 1} more have" if len(names) > 1 else " has"
            yield f"{names[0]}{others} {what} the room."


def _hall(where: str) -> str:
    """The Socket.IO room of a place: entered at once, not after catching up."""
    return f"people of {where}"


def _name(username: str | None) -> str | None:
    name = " ".join(plain(username).split())[:100] if username else ""
    return name or None


def _wire(note: Note) -> dict[str, Any]:
    """A note as it is told; `msg` is `text` under the name that tutorials use."""
    return {
        "id": note.id,
        "room": note.room,
        "username": note.username,
        "text": note.text,
        "msg": note.text,
        "at": iso(note.at),
    }
