"""`--processes 2` over PostgreSQL and Redis, and the tests that run on it as well as on one embedded process."""

import os
import signal
from collections.abc import Iterator

import pytest

from tests.conftest import Server, eventually
from tests.processes import serving
from tests.redis_door import environment
from tests.servers import PostgresServer, RedisServer


@pytest.fixture(scope="module")
def many(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer, postgres: PostgresServer
) -> Iterator[Server]:
    """Two processes on one port, shared by a module's tests."""
    redis_server.start()
    redis_server.flush()
    postgres.start()
    shared = {"PORTALWIRE_DATABASE_URL": postgres.create(), "PORTALWIRE_PROCESSES": "2"}
    server = Server(tmp_path_factory.mktemp("many"), {**environment(redis_server.url), **shared})
    server.start()
    eventually(lambda: len(serving(server)) == 2)
    yield server
    server.stop()
    assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module", params=["one", "several"])
def one_or_several(request: pytest.FixtureRequest) -> Server:
    """One process on SQLite, and two on PostgreSQL and Redis."""
    server: Server = request.getfixturevalue("module_server" if request.param == "one" else "many")
    return server


def is_several(server: Server) -> bool:
    return "PORTALWIRE_PROCESSES" in server.environment


def break_off(server: Server) -> None:
    """kill -9 to the server, or to one of its processes, and waits until it is whole again."""
    if not is_several(server):
        server.kill()
        server.start()
        return
    killed = min(serving(server))
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: len(serving(server) - {killed}) == 2, what="another in its place")
