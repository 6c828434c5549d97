"""The Redis door of a real server, as a sender and a tester see it."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis
import requests

from tests.conftest import Server, eventually
from tests.servers import RedisServer

STREAM, GROUP = "portalwire:ingest", "portalwire"
CLAIM_AFTER = "1"  # seconds


class RedisDoor:
    """Adds records to the stream that `server` reads."""

    def __init__(self, server: Server, redis_url: str) -> None:
        self.server = server
        self.client = redis.Redis.from_url(redis_url, protocol=2)

    def add(self, content: bytes) -> bytes:
        record: Any = self.client.xadd(STREAM, {"batch": content})
        return bytes(record)

    def drained(self) -> bool:
        """Whether every record is acknowledged."""
        try:
            (group,) = self.client.xinfo_groups(STREAM)
        except (redis.ResponseError, ValueError):  # flushed, and not found yet
            return False
        last = self.client.xinfo_stream(STREAM)["last-generated-id"]
        return group["pending"] == 0 and group["last-delivered-id"] == last

    def drain(self) -> None:
        eventually(self.drained, what="every record is acknowledged")

    def letters(self, source: str | None = None) -> list[dict[str, Any]]:
        query = f"?source={source}" if source else ""
        answer = requests.get(f"{self.server.url}/api/dead-letters{query}", timeout=30)
        letters: list[dict[str, Any]] = answer.json()["dead_letters"]
        return letters

    def close(self) -> None:
        self.client.close()


def environment(redis_url: str) -> dict[str, str]:
    """What a server needs to have the door."""
    return {"PORTALWIRE_REDIS_URL": redis_url, "PORTALWIRE_REDIS_CLAIM_AFTER": CLAIM_AFTER}


@pytest.fixture(scope="module")
def redis_door(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[RedisDoor]:
    """A server with a Redis door, shared by a module's tests, each with sources of its own."""
    redis_server.start()
    redis_server.flush()
    server = Server(tmp_path_factory.mktemp("redis_door"), environment(redis_server.url))
    server.start()
    door = RedisDoor(server, redis_server.url)
    yield door
    door.close()
    server.stop()
