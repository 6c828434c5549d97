"""The Redis door on PostgreSQL, which refuses more than SQLite does: no batch stops those behind it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Server
from tests.redis_door import RedisDoor, environment
from tests.servers import PostgresServer, RedisServer


@pytest.fixture
def door(tmp_path: Path, redis_server: RedisServer, redis_url: str, postgres_url: str) -> Iterator[RedisDoor]:
    server = Server(tmp_path, {**environment(redis_url), "PORTALWIRE_DATABASE_URL": postgres_url})
    server.start()
    door = RedisDoor(server, redis_url)
    yield door
    door.close()
    server.stop()


def batch(batch_id: str, key: str = "k", **fields: Any) -> bytes:
    entries = [{"key": key, "data": {"n": 1}}]
    return json.dumps({"source": "s", "run_id": "r", "batch_id": batch_id, "entries": entries, **fields}).encode()


def receipt(door: RedisDoor, batch_id: str) -> int:
    return requests.get(f"{door.server.url}/api/batches/s/{batch_id}", timeout=30).status_code


def test_a_poisoned_record_is_buried_and_those_behind_it_are_stored(
    door: RedisDoor, postgres: PostgresServer, postgres_url: str
) -> None:
    door.add(batch("clean", parser="a\u0000b"))
    door.add(batch("wide", parser="p" * 101))
    door.drain()
    # Whatever else the contract should let through one day: a column that is narrower than it.
    postgres.execute("ALTER TABLE entries ALTER COLUMN key TYPE varchar(5)", postgres_url.rpartition("/")[2])
    door.add(batch("poison", key="longer"))
    posted = requests.post(
        f"{door.server.url}/api/entries", data=batch("posted", key="longer"), headers=MEDIA, timeout=30
    )
    door.add(batch("behind", key="short"))
    door.drain()
    assert {name: receipt(door, name) for name in ("clean", "wide", "poison", "behind")} == {
        "clean": 200,
        "wide": 410,
        "poison": 410,
        "behind": 200,
    }
    assert (posted.status_code, posted.json()["error"]["code"]) == (400, "unstorable")
    for letter in door.letters("s"):
        assert "Error" not in letter["error"], "what the database said is for the log"
    assert '"kind": "DataError"' in door.server.log.read_text()


MEDIA = {"Content-Type": "application/json"}
