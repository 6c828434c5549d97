"""PostgreSQL behind the store: how its connections are opened and how they wait."""

from typing import Any

import psycopg
import sqlalchemy as sa
from gevent import monkey
from psycopg import IsolationLevel, waiting

CONNECT = {
    "application_name": "portalwire",
    "connect_timeout": 5,  # seconds; also until a half-open connection is given up:
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,  # milliseconds
}
# Every query here is on an index, and a plan made while a table was small must not be kept when it is large.
# A process that stops in the middle of a transaction must not stop the others for ever, and a commit is on disk
# before anybody is answered, whatever the server's own setting says.
_PREPARE = """
    SELECT set_config('enable_seqscan', 'off', false), set_config('plan_cache_mode', 'force_custom_plan', false),
        set_config('lock_timeout', '10s', false),
        set_config('idle_in_transaction_session_timeout', '60s', false),
        CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END
"""


def open_postgresql(url: sa.URL, *, writes: bool) -> sa.Engine:
    """An engine for the store's threads. A writer sees what was committed when each statement began, which is what
    locking first and looking then needs; a reader sees one moment through its whole transaction."""
    _wait_in_native_threads()
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=CONNECT)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: psycopg.Connection[Any], _record: Any) -> None:
        connection.execute(_PREPARE)
        connection.commit()
        connection.isolation_level = IsolationLevel.READ_COMMITTED if writes else IsolationLevel.REPEATABLE_READ
        connection.read_only = not writes

    return engine


def lost_to_another(error: Exception) -> bool:
    """Whether the same transaction may well succeed when it is run again: a deadlock, a serialization failure, a
    connection that broke."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def _wait_in_native_threads() -> None:
    """psycopg sees that gevent patched `select` and would wait by gevent, which gives every native thread an event loop
    of its own. Our connections are used in native threads alone: they wait in C, without the interpreter's lock."""
    waiting.wait = getattr(waiting, "wait_c", waiting.wait)
    vars(waiting)["DefaultSelector"] = monkey.get_original("selectors", "DefaultSelector")
