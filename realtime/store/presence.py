"""Who is in which room, over all processes. A row lives as long as its process says so."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from realtime.store.keys import among
from realtime.store.schema import presence

LIVES = 15_000  # milliseconds without a beat after which a process counts as gone
NAMED = 100  # people that are named


class Left(NamedTuple):
    """Someone who is not in a room any more."""

    room: str
    username: str


def enter(connection: sa.Connection, room: str, sid: str, process: str, username: str, at: int) -> bool:
    """Puts a client into a room; whether nobody of that name was there."""
    there = connection.execute(
        sa.select(presence.c.sid)
        .where(presence.c.room == room, presence.c.username == username, presence.c.beat >= at - LIVES)
        .limit(1)
    ).first()
    connection.execute(sa.delete(presence).where(presence.c.room == room, presence.c.sid == sid))
    connection.execute(sa.insert(presence).values(room=room, sid=sid, process=process, username=username, beat=at))
    return there is None


def leave(connection: sa.Connection, room: str, sid: str, at: int) -> list[Left]:
    """Takes a client out of a room; who is in it no more, in no other window either."""
    return _gone(connection, (presence.c.room == room) & (presence.c.sid == sid), at)


def drop(connection: sa.Connection, sids: Sequence[str], at: int) -> list[Left]:
    """Takes clients out of all their rooms."""
    return _gone(connection, among(connection, presence.c.sid, sids), at)


def people(connection: sa.Connection, room: str, at: int) -> list[str]:
    """The names of who is in a room, each once, in order."""
    rows = connection.execute(
        sa.select(presence.c.username)
        .where(presence.c.room == room, presence.c.beat >= at - LIVES)
        .distinct()
        .order_by(presence.c.username)
    )
    return list(rows.scalars())


def beat(connection: sa.Connection, process: str, at: int) -> list[Left]:
    """Says that a process is there; returns who is gone because theirs is not."""
    connection.execute(sa.update(presence).where(presence.c.process == process).values(beat=at))
    return _gone(connection, presence.c.beat < at - LIVES, at)


def _gone(connection: sa.Connection, which: sa.ColumnElement[bool], at: int) -> list[Left]:
    """Deletes rows; of those people who is nowhere in their room any more, in order, with two statements for all."""
    rows = connection.execute(sa.delete(presence).where(which).returning(presence.c.room, presence.c.username)).all()
    if not rows:
        return []
    rooms = sorted({row.room for row in rows})
    still = connection.execute(
        sa.select(presence.c.room, presence.c.username)
        .where(among(connection, presence.c.room, rooms), presence.c.beat >= at - LIVES)
        .distinct()
    )
    return sorted({Left(*row) for row in rows} - {Left(*row) for row in still})
