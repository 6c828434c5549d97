"""Notes: what the people in a room write to each other."""

from typing import NamedTuple

import sqlalchemy as sa

from realtime.store.schema import notes
from realtime.store.write import insert_ignoring

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


def add(connection: sa.Connection, room: str, username: str, text: str, at: int, utterance: str) -> Note:
    """Keeps a note, and of the room's older ones the newest. The same `utterance` again, since nobody heard that it was
    committed, is the note that is there."""
    statement = insert_ignoring(connection, notes).values(
        room=room, username=username, text=text, at=at, utterance=utterance
    )
    # an update that alters nothing: RETURNING does not tell of a row that was left alone
    kept = statement.on_conflict_do_update(index_elements=["utterance"], set_={"utterance": utterance})
    note = Note(*connection.execute(kept.returning(*_COLUMNS)).one())
    oldest = (
        sa.select(notes.c.id).where(notes.c.room == room).order_by(notes.c.id.desc()).limit(1).offset(KEPT)
    ).scalar_subquery()
    connection.execute(sa.delete(notes).where(notes.c.room == room, notes.c.id <= oldest))
    return note


def recent(connection: sa.Connection, room: str, limit: int = SHOWN) -> list[Note]:
    """The newest notes of a room, oldest first."""
    rows = connection.execute(
        sa.select(*_COLUMNS).where(notes.c.room == room).order_by(notes.c.id.desc()).limit(limit)
    ).all()
    return [Note(*row) for row in reversed(rows)]
