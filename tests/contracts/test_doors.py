"""What every door does, on each of them."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from ingest_api.contract import wire
from tests.redis_door import RedisDoor, redis_door

__all__ = ["redis_door"]

Send = Callable[..., None]


@pytest.fixture(params=["http", "redis"])
def send(request: pytest.FixtureRequest, redis_door: RedisDoor) -> Send:
    """Delivers bytes and waits until they are dealt with."""

    def post(content: bytes, media: str = wire.JSON, squeezed: bool = False) -> None:
        headers = {"Content-Type": media, **({"Content-Encoding": "gzip"} if squeezed else {})}
        requests.post(f"{redis_door.server.url}/api/entries", data=content, headers=headers, timeout=30)

    def add(content: bytes, media: str = wire.JSON, squeezed: bool = False) -> None:
        redis_door.add(content)
        redis_door.drain()

    return {"http": post, "redis": add}[request.param]


@pytest.fixture
def source(request: pytest.FixtureRequest) -> str:
    """A source of this test's own."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")[-60:].strip("-")


def batch(source: str, *entries: Any, **fields: Any) -> dict[str, Any]:
    return {"source": source, "run_id": "r", "batch_id": "b", "entries": list(entries), **fields}


def entry(key: str, number: int) -> dict[str, Any]:
    return {"key": key, "data": {"n": number}}


def receipt(door: RedisDoor, source: str, batch_id: str = "b") -> requests.Response:
    return requests.get(f"{door.server.url}/api/batches/{source}/{batch_id}", timeout=30)


def shown(door: RedisDoor, source: str) -> dict[str, Any]:
    answer = requests.get(f"{door.server.url}/api/entries?source={source}", timeout=30)
    return {entry["key"]: entry["data"] for entry in answer.json()["entries"]}


@pytest.mark.parametrize("media", [wire.JSON, wire.MSGPACK])
@pytest.mark.parametrize("squeezed", [False, True])
def test_every_form(redis_door: RedisDoor, send: Send, source: str, media: str, squeezed: bool) -> None:
    body = wire.encode(batch(source, entry("a", 1)), media)
    send(gzip.compress(body) if squeezed else body, media, squeezed)
    stored = receipt(redis_door, source).json()
    assert (stored["new"], stored["offset"], stored["rejected"]) == (1, 1, [])
    assert shown(redis_door, source) == {"a": {"n": 1}}


def test_the_same_batch_twice_changes_nothing(redis_door: RedisDoor, send: Send, source: str) -> None:
    body = json.dumps(batch(source, entry("a", 1))).encode()
    send(body)
    first = receipt(redis_door, source).json()
    send(body)
    assert receipt(redis_door, source).json() == first
    assert redis_door.letters(source) == []


def test_one_bad_entry_does_not_sink_its_batch(redis_door: RedisDoor, send: Send, source: str) -> None:
    send(json.dumps(batch(source, entry("a", 1), {"key": "b", "data": 5}, entry("c", 3))).encode())
    assert shown(redis_door, source) == {"a": {"n": 1}, "c": {"n": 3}}
    (letter,) = redis_door.letters(source)
    assert (letter["key"], letter["index"]) == ("b", 1)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"data":{"n":NaN},"key":"b"}', "NaN"),
        (b'{"key":"b","data":{"n":"\\ud800"}}', "half a surrogate"),
        (b'{"key":"b","data":{"n":' + b"[" * 1200 + b"]" * 1200 + b"}}", "nested deeper"),
        (b'{"key":"b","data":{},"observed_at":"0001-01-01T00:00:00+14:00"}', "1970"),
        (b'{"key":"b","data":{},"observed_at":"9999-12-31T23:59:59-14:00"}', "1970"),
    ],
)
def test_an_entry_that_cannot_be_read_does_not_sink_its_batch(
    redis_door: RedisDoor, send: Send, source: str, bad: bytes, reason: str
) -> None:
    send(json.dumps(batch(source, entry("a", 1), "BAD", entry("c", 3))).encode().replace(b'"BAD"', bad))
    assert shown(redis_door, source) == {"a": {"n": 1}, "c": {"n": 3}}
    (letter,) = redis_door.letters(source)
    assert (letter["key"], letter["index"], letter["payload"][:1]) == ("b", 1, "{")
    assert reason in letter["error"]


def test_a_batch_id_with_another_content_changes_nothing(redis_door: RedisDoor, send: Send, source: str) -> None:
    send(json.dumps(batch(source, entry("a", 1))).encode())
    send(json.dumps(batch(source, entry("a", 2))).encode())
    assert shown(redis_door, source) == {"a": {"n": 1}}


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"\x1f\x8bnot gzip", b"\xff\xff", b"", gzip.compress(bytes(40_000_000))]
)
def test_what_is_no_batch_stores_nothing_and_the_next_is_taken(
    redis_door: RedisDoor, send: Send, source: str, content: bytes
) -> None:
    send(content)
    send(json.dumps(batch(source, entry("a", 1))).encode())
    assert shown(redis_door, source) == {"a": {"n": 1}}


def test_a_receipt_is_of_a_content(redis_door: RedisDoor, send: Send, source: str) -> None:
    assert receipt(redis_door, source).status_code == 404
    send(json.dumps(batch(source, entry("a", 1))).encode())
    other = requests.get(f"{redis_door.server.url}/api/batches/{source}/b?digest=00", timeout=30)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "batch_conflict")
