"""PostgreSQL goes over to a standby; the address stays the same.

An asynchronous standby lacks what was committed last: that was acknowledged and is lost, which no server of ours can
mend. A synchronous one has all that was acknowledged.
"""

import copy
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.conftest import eventually
from tests.faults import counts
from tests.faults.configurations import POSTGRESQL, PROCESSES, configured
from tests.faults.sender import Sender
from tests.faults.stage import SOURCE, Stage, staged
from tests.servers import PostgresServer

NAME = "PostgreSQL promoted with a lost tail"
SYNCHRONOUS = "PostgreSQL promoted, synchronous standby"
BATCHES = 6


def promoted(configuration: str, seed: int, folder: Path) -> None:
    """What the standby had is counted. What it lacked is lost by PostgreSQL, so that promise 1 does not hold and has no
    cell; no client may go on showing it."""
    with carried_over(configuration, seed, folder) as stage:
        stage.settle()
        found = stage.found()
        assert found.pop(1)[0] == [], "what the standby had is there"
        counts.note(NAME, configuration, found)
        assert all(len(client.lives) > 1 for client in stage.clients), "they were told of the new life"


def synchronous(configuration: str, seed: int, folder: Path) -> None:
    """All that was acknowledged is counted, to the last batch before the end."""
    with cut_off(configuration, seed, folder, "*") as stage:
        stage.count(SYNCHRONOUS)
        assert all(len(client.lives) > 1 for client in stage.clients), "they were told of the new life"


@contextmanager
def cut_off(configuration: str, seed: int, folder: Path, names: str) -> Iterator[Stage]:
    """While batches are on their way the standby goes away, then the primary; the standby comes back in its place.
    `names` are the primary's synchronous_standby_names: without any, batches are acknowledged in between."""
    chosen = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(prefix="portalwire-pg-") as short,
        configured(configuration, folder) as setup,
        staged(configuration, folder, seed, setup=setup) as stage,
    ):
        primary = setup.postgres
        assert primary is not None
        standby = primary.standby(Path(short))
        try:
            primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
            primary.execute("SELECT pg_reload_conf()")
            eventually(lambda: _streaming(primary, "sync" if names else "async"), what="the standby is followed")
            stage.deliver(chosen.randint(1, BATCHES))
            acknowledged = len(stage.sender.acknowledged)
            with stage.delivering(2 * BATCHES) as delivery:
                enough = acknowledged + chosen.randint(1, BATCHES)
                eventually(lambda: len(stage.sender.acknowledged) >= enough, what="some are acknowledged")
                standby.kill()
                if names:
                    stage.misses(delivery)
                else:
                    delivery.result()
                primary.kill()
                standby.port = primary.port
                standby.start()
                standby.execute("SELECT pg_promote()")
            stage.deliver(chosen.randint(1, BATCHES))
            yield stage
        finally:
            standby.kill()


def _streaming(primary: PostgresServer, state: str) -> bool:
    with psycopg.connect(f"host=127.0.0.1 port={primary.port} user=postgres dbname=postgres") as connection:
        found = connection.execute("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'").fetchone()
        return found == (state,)


@contextmanager
def carried_over(configuration: str, seed: int, folder: Path, bug: str = "") -> Iterator[Stage]:
    """A stage after the promotion, on which more than what was lost was delivered."""
    chosen = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(prefix="portalwire-pg-") as short,  # for its socket's path
        configured(configuration, folder) as setup,
        staged(configuration, folder, seed, setup=setup, bug=bug) as stage,
    ):
        primary = setup.postgres
        assert primary is not None
        standby = primary.standby(Path(short))
        try:
            stage.deliver(chosen.randint(1, BATCHES))
            _equal(primary, standby)
            standby.kill()
            tail = _tail(stage)
            tail.deliver(chosen.randint(1, BATCHES))
            head = tail.acknowledged[-1].receipt["offset"]
            for client in stage.clients:
                eventually(lambda client=client: client.cursor >= head, what="it is seen before it is lost")

            stage.sender.look = lambda: (
                None
            )  # clients are ahead of the database, until they are told that it is another
            primary.kill()
            standby.port = primary.port
            standby.start()
            standby.execute("SELECT pg_promote()")
            stage.sender.deliver(len(tail.sent) + chosen.randint(1, BATCHES))
            while counts.head_of(stage.database, SOURCE) <= head:  # no cursor of the old life may pass for one of this
                stage.sender.deliver(1)
            yield stage
        finally:
            standby.kill()


def _tail(stage: Stage) -> Sender:
    """The same portal as the standby will never have known it."""
    return Sender(copy.deepcopy(stage.sender.portal).elsewhere(), stage.sender.way)


def _equal(primary: PostgresServer, standby: PostgresServer) -> None:
    """Until the standby has all that was committed."""

    def lsn(server: PostgresServer, function: str) -> int:
        with psycopg.connect(f"host=127.0.0.1 port={server.port} user=postgres dbname=postgres") as connection:
            row = connection.execute(f"SELECT {function}() - '0/0'").fetchone()  # type: ignore[arg-type]
            return int(row[0]) if row else 0

    written = lsn(primary, "pg_current_wal_lsn")
    eventually(lambda: lsn(standby, "pg_last_wal_replay_lsn") >= written, what="the standby has all")


promoted.configurations = synchronous.configurations = (POSTGRESQL, PROCESSES)  # type: ignore[attr-defined]

SCENARIOS = {NAME: promoted, SYNCHRONOUS: synchronous}
