"""Who is in which room, over all processes. A row lives as long as its process says so."""

from typing import NamedTuple

import sqlalchemy as sa

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


def leave(connection: sa.Connection, sid: str, rooms: list[str], at: int) -> list[Left]:
    """Takes a client out of rooms; who is in them no more, in any other window either."""
    rows = connection.execute(
        sa.delete(presence)
        .where(presence.c.sid == sid, presence.c.room.in_(rooms))
        .returning(presence.c.room, presence.c.username)
    )
    return [left for left in (Left(*row) for row in rows.all()) if not _there(connection, left, at)]


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
    rows = connection.execute(
        sa.delete(presence).where(presence.c.beat < at - LIVES).returning(presence.c.room, presence.c.username)
    )
    return [left for left in sorted({Left(*row) for row in rows.all()}) if not _there(connection, left, at)]


def _there(connection: sa.Connection, left: Left, at: int) -> bool:
    return left.username in people(connection, left.room, at)
