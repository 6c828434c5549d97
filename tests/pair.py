"""Two server processes, started apart on two ports, over one database and one Redis."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.conftest import Server
from tests.redis_door import environment
from tests.servers import PostgresServer, RedisServer


@dataclass
class Pair:
    """`one` and `other`, both running."""

    one: Server
    other: Server

    @property
    def both(self) -> tuple[Server, Server]:
        return self.one, self.other

    def start(self) -> None:
        """At the same moment, on a database that neither has seen."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Server.start, self.both))

    def holder(self) -> tuple[Server, Server]:
        """The one that took the clock's lease last, and the other."""
        one, other = (_terms(server) for server in self.both)
        return self.both if one > other else (self.other, self.one)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer
) -> Iterator[Pair]:
    """Shared by a module's tests, each with a source of its own; who kills or pauses a server starts it again."""
    folder = tmp_path_factory.mktemp("pair")
    if request.param == "sqlite":
        database = f"sqlite:///{folder / 'shared.db'}"
    else:
        cluster: PostgresServer = request.getfixturevalue("postgres")
        cluster.start()
        database = cluster.create()
    redis_server.start()
    redis_server.flush()
    shared = {**environment(redis_server.url), "PORTALWIRE_DATABASE_URL": database}
    pair = Pair(Server(folder, shared, "one"), Server(folder, shared, "other"))
    try:
        pair.start()
        yield pair
    finally:
        for server in pair.both:
            server.stop()


def _terms(server: Server) -> int:
    """The last term of the lease that the server took."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if '"lease taken"' in line]
    return lines[-1]["term"] if lines else 0
