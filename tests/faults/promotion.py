"""PostgreSQL goes over to a standby that lacks what was committed last; the address stays the same."""

import copy
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.conftest import eventually
from tests.faults.configurations import POSTGRESQL, PROCESSES, configured
from tests.faults.sender import Sender
from tests.faults.stage import Stage, staged
from tests.servers import PostgresServer

NAME = "PostgreSQL promoted with a lost tail"
BATCHES = 6


def promoted(configuration: str, seed: int, folder: Path) -> None:
    """What the standby had is counted. What it lacked is lost by PostgreSQL, and no client may go on showing it."""
    with carried_over(configuration, seed, folder) as stage:
        stage.count(NAME)
        assert all(len(client.lives) > 1 for client in stage.clients), "they were told of the new life"


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


promoted.configurations = (POSTGRESQL, PROCESSES)  # type: ignore[attr-defined]

SCENARIOS = {NAME: promoted}
