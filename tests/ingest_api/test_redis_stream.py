"""The Redis door of a real server on a real Redis, when things go wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.conftest import Server, eventually
from tests.redis_door import GROUP, STREAM, RedisDoor, environment, redis_door
from tests.servers import PostgresServer, RedisServer

__all__ = ["redis_door"]


def batch(source: str, number: int = 0, **fields: Any) -> bytes:
    entries = [{"key": f"k{number}", "data": {"n": number}}]
    content = {"source": source, "run_id": "r", "batch_id": f"b{number}", "entries": entries, **fields}
    return json.dumps(content).encode()


def stored(server: Server, source: str) -> set[int]:
    answer = requests.get(f"{server.url}/api/entries?source={source}&limit=1000", timeout=30)
    return {entry["data"]["n"] for entry in answer.json()["entries"]}


def leave(door: RedisDoor, *contents: bytes, tries: int = 1) -> None:
    """Records that a consumer read, so many times, and never acknowledged."""
    with door.client.pipeline() as pipeline:  # at once, so that the server's consumer does not get them
        for content in contents:
            pipeline.xadd(STREAM, {"batch": content})
        pipeline.xreadgroup(GROUP, "the-dead", {STREAM: ">"})
        records: Any = pipeline.execute()
    names = records[: len(contents)]
    assert len(door.client.xclaim(STREAM, GROUP, "the-dead", 0, names, retrycount=tries)) == len(contents)


def test_what_a_crashed_consumer_left_is_stored(redis_door: RedisDoor) -> None:
    redis_door.add(batch("claimed", 0))
    redis_door.drain()
    leave(redis_door, *(batch("claimed", number) for number in range(1, 6)))
    redis_door.drain()
    assert stored(redis_door.server, "claimed") == set(range(6))


def test_what_five_consumers_could_not_finish_is_a_dead_letter_and_its_neighbours_are_stored(
    redis_door: RedisDoor,
) -> None:
    redis_door.add(batch("tried", 0))
    redis_door.drain()
    leave(redis_door, batch("tried", 1), batch("tried", 1), tries=5)
    redis_door.add(batch("tried", 2))
    redis_door.drain()
    assert stored(redis_door.server, "tried") == {0, 2}
    (letter,) = redis_door.letters("tried")
    assert (letter["batch_id"], letter["index"], letter["run_id"]) == ("b1", -1, "r")
    assert "five times" in letter["error"]
    answer = requests.get(f"{redis_door.server.url}/api/batches/tried/b1", timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (410, "dead_letter")


def test_poison_is_kept_once_with_its_reason(redis_door: RedisDoor) -> None:
    before = len(redis_door.letters())
    redis_door.add(batch("poison", 0))
    for _ in range(3):  # the second and third are resends
        redis_door.add(batch("poison", 0, run_id=5))
        redis_door.add(batch("poison", 0, entries=[]))
        redis_door.add(b"\xc1 no form at all")
    redis_door.client.xadd(STREAM, {"other": b"field"})
    redis_door.add(batch("poison", 1))
    redis_door.drain()
    assert stored(redis_door.server, "poison") == {0, 1}
    named = {letter["batch_id"].partition("~")[0]: letter["error"] for letter in redis_door.letters("poison")}
    assert named.keys() == {"b0"}
    errors = sorted(letter["error"] for letter in redis_door.letters("poison"))
    assert len(errors) == 2
    assert "run_id" in errors[1]
    assert "used before" in errors[0]
    assert len(redis_door.letters()) - before == 4


def test_the_stream_is_trimmed_below_what_is_acknowledged(redis_door: RedisDoor) -> None:
    for number in range(50):
        redis_door.add(batch("trimmed", number))
    eventually(lambda: redis_door.client.xlen(STREAM) == 0, what="the stream is trimmed")
    assert stored(redis_door.server, "trimmed") == set(range(50))


def test_a_redis_that_dies_and_one_that_forgets(redis_door: RedisDoor, redis_server: RedisServer) -> None:
    redis_door.add(batch("forgets", 0))
    redis_server.kill()
    redis_server.start()
    redis_door.add(batch("forgets", 1))
    redis_door.drain()
    redis_server.flush()
    redis_door.add(batch("forgets", 2))
    redis_door.drain()
    assert stored(redis_door.server, "forgets") >= {1, 2}


def test_the_channel_beside_the_stream(redis_door: RedisDoor) -> None:
    """Subscribed when the server has connected; from then on messages are stored, and dead letters kept."""
    eventually(lambda: redis_door.client.pubsub_numsub(STREAM)[0][1] == 1)
    redis_door.client.publish(STREAM, batch("channel", 1))
    redis_door.client.publish(STREAM, batch("channel", 2, entries=None))
    eventually(lambda: stored(redis_door.server, "channel") == {1})
    eventually(lambda: len(redis_door.letters("channel")) == 1)


@pytest.fixture
def door_on_postgres(tmp_path: Path, redis_server: RedisServer, postgres_url: str) -> Iterator[RedisDoor]:
    """Of a server and a stream of its own, in another of Redis's databases."""
    redis_server.start()
    another = redis_server.url.removesuffix("0") + "1"
    server = Server(tmp_path, {**environment(another), "PORTALWIRE_DATABASE_URL": postgres_url})
    server.start()
    door = RedisDoor(server, another)
    yield door
    door.close()
    server.stop()


def test_while_the_store_is_away_nothing_is_given_up(door_on_postgres: RedisDoor, postgres: PostgresServer) -> None:
    door, server = door_on_postgres, door_on_postgres.server
    door.add(batch("away", 0))
    door.drain()
    postgres.kill()
    for number in range(1, 30):
        door.add(batch("away", number))
    eventually(lambda: "records wait for the store" in server.log.read_text())
    assert door.client.xinfo_groups(STREAM)[0]["pending"] > 0
    postgres.start()
    door.drain()
    assert stored(server, "away") == set(range(30))
    assert door.letters() == []
