"""Tokens that count no more, known by their ids until they would have expired anyway."""

import sqlalchemy as sa

from ingest_api.auth import LONGEST_LIFE
from realtime.store.schema import revoked


def add(connection: sa.Connection, jti: str, at: int) -> None:
    """Keeps a token's id from `at` (milliseconds) on, and forgets those that do not matter any more."""
    connection.execute(sa.delete(revoked).where((revoked.c.until < at) | (revoked.c.jti == jti)))
    connection.execute(sa.insert(revoked).values(jti=jti, until=at + LONGEST_LIFE * 1000))


def ids(connection: sa.Connection, at: int) -> list[str]:
    """The ids of the tokens that are revoked at `at` (milliseconds)."""
    return list(connection.scalars(sa.select(revoked.c.jti).where(revoked.c.until >= at)))
