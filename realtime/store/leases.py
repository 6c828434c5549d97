"""Leases: who of several processes does what only one may do. The row beats as long as its holder lives."""

from typing import NamedTuple

import sqlalchemy as sa

from realtime.store.schema import leases
from realtime.store.write import insert_ignoring

NOBODY = ""


class Beat(NamedTuple):
    """One beat of a lease: beats of a later `term` are later, within one they are counted by `number`; 0 is the taking.

    `at` is milliseconds by the holder's clock.
    """

    term: int
    number: int
    at: int
    holder: str


def look(connection: sa.Connection, name: str) -> Beat | None:
    """The newest beat; None of a lease that nobody ever held."""
    row = connection.execute(
        sa.select(leases.c.term, leases.c.number, leases.c.at, leases.c.holder).where(leases.c.name == name)
    ).one_or_none()
    return Beat(*row) if row else None


def take(connection: sa.Connection, name: str, seen: Beat | None, holder: str, at: int) -> Beat | None:
    """Begins a term if the lease is as it was `seen`; None when another one was faster."""
    beat = Beat(seen.term + 1 if seen else 1, 0, at, holder)
    values = beat._asdict()
    if seen is None:
        first = insert_ignoring(connection, leases).values(name=name, **values).on_conflict_do_nothing()
        # RETURNING, since an INSERT's rowcount through SQLAlchemy and psycopg is not 0 when nothing was inserted
        return beat if connection.execute(first.returning(leases.c.term)).first() else None
    unmoved = (leases.c.name == name) & (leases.c.term == seen.term) & (leases.c.number == seen.number)
    return beat if connection.execute(sa.update(leases).where(unmoved).values(**values)).rowcount else None


def beat(connection: sa.Connection, name: str, last: Beat, at: int) -> Beat | None:
    """The holder's next beat; None when it holds the lease no more."""
    following = last._replace(number=last.number + 1, at=at)
    ours = (leases.c.name == name) & (leases.c.term == last.term) & (leases.c.holder == last.holder)
    values = {"number": following.number, "at": at}
    return following if connection.execute(sa.update(leases).where(ours).values(**values)).rowcount else None


def release(connection: sa.Connection, name: str, last: Beat) -> None:
    """Ends the holder's term: another one may begin at once."""
    ours = (leases.c.name == name) & (leases.c.term == last.term) & (leases.c.holder == last.holder)
    connection.execute(sa.update(leases).where(ours).values(holder=NOBODY))
