"""The configurations as running servers that a module's tests share, where none is killed or cut off."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import Server
from tests.faults.configurations import CONFIGURATIONS, PROCESSES, SQLITE
from tests.redis_door import environment
from tests.servers import PostgresServer, RedisServer


@dataclass(frozen=True)
class Installation:
    """`name` is the configuration in a row of the table; `redis_url` is where it has a Redis door."""

    name: str
    server: Server
    redis_url: str | None = None


@pytest.fixture(params=CONFIGURATIONS, scope="module")
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Shared by a module's tests, each with sources of its own."""
    variables: dict[str, str] = {}
    redis_url = None
    if request.param != SQLITE:
        cluster: PostgresServer = request.getfixturevalue("postgres")
        cluster.start()
        variables["PORTALWIRE_DATABASE_URL"] = cluster.create()
    if request.param == PROCESSES:
        redis: RedisServer = request.getfixturevalue("redis_server")
        redis.start()
        redis.flush()
        redis_url = redis.url
        variables |= {**environment(redis_url), "PORTALWIRE_PROCESSES": "3"}
    server = Server(tmp_path_factory.mktemp("installation"), variables)
    server.start()
    yield Installation(request.param, server, redis_url)
    server.stop()
