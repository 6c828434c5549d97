"""Notes: what the people in a room write to each other."""

from typing import NamedTuple

import sqlalchemy as sa

from realtime.store.schema import notes

KEPT = 500  # notes of a room
SHOWN = 50  # notes that are told to whoever joins later


class Note(NamedTuple):
    """A note; `at` is milliseconds."""

    id: int
    room: str
    username: str
    text: str
    at: int


_COLUMNS = [notes.c[field] for field in Note._fields]


def add(connection: sa.Connection, room: str, username: str, text: str, at: int) -> Note:
    """Keeps a note, and of the room's older ones the newest."""
    number: int = connection.execute(
        sa.insert(notes).values(room=room, username=username, text=text, at=at).returning(notes.c.id)
    ).scalar_one()
    oldest = (
        sa.select(notes.c.id).where(notes.c.room == room).order_by(notes.c.id.desc()).limit(1).offset(KEPT)
    ).scalar_subquery()
    connection.execute(sa.delete(notes).where(notes.c.room == room, notes.c.id <= oldest))
    return Note(number, room, username, text, at)


def recent(connection: sa.Connection, room: str, limit: int = SHOWN) -> list[Note]:
    """The newest notes of a room, oldest first."""
    rows = connection.execute(
        sa.select(*_COLUMNS).where(notes.c.room == room).order_by(notes.c.id.desc()).limit(limit)
    ).all()
    return [Note(*row) for row in reversed(rows)]
