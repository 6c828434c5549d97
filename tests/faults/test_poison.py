"""Promise 8: what nobody can store is kept once, with its reason, and its neighbours are stored nevertheless:
through each door, sent twice, and from a scraper."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
import requests

from scrapers import Entry, execute, harvest, portal
from scrapers.config import Settings, Source
from scrapers.config.values import Seconds
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Politeness
from scrapers.visit import Visit
from tests.conftest import eventually
from tests.faults.installations import Installation
from tests.faults.table import Row, record
from tests.scrapers.web import Web, html, web

__all__ = ["web"]

LARGE = 10 * 1024 * 1024
DEEP = 100_000
POISON = {
    "a key of NUL": b'{"key":"\\u0000","data":{}}',
    "half a letter": b'{"key":"p","data":{"n":"\\ud800"}}',
    "NaN": b'{"key":"p","data":{"n":NaN}}',
    "10 MB": b'{"key":"p","data":{"n":"' + b"x" * LARGE + b'"}}',
    "a depth of 100,000": b'{"key":"p","data":{"n":' + b"[" * DEEP + b"]" * DEEP + b"}}",
    "66 bits": b'{"key":"p","data":{"n":73786976294838206464}}',
}
NEIGHBOURS = {"before": {"n": 1}, "after": {"n": 2}}


class Unspeakable:
    """What cannot even be shown."""

    def __repr__(self) -> str:
        raise ValueError


def test_poison_at_each_door(installation: Installation) -> None:
    faults: list[str] = []
    doors = ["http", "redis"] if installation.redis_url else ["http"]
    for door in doors:
        for number, poison in enumerate(POISON.values()):
            source = f"{door}-{number}"
            for _ in range(2):
                send(installation, door, source, poison)
            with suppress(pytest.fail.Exception):  # counted below
                eventually(lambda source=source: _entries(installation, source) == NEIGHBOURS)
            faults += faults_of(installation, source, 1)
    counted = len(doors) * len(POISON)
    record(Row("poison at each door, twice", installation.name, 8, len(faults), counted, "poison entries"), faults)


def test_poison_from_a_scraper(installation: Installation, web: Web, tmp_path: Path) -> None:
    web.pages["/list"] = html("<title>Prices</title><ul><li>here they are</li></ul>")
    values: list[Any] = [float("nan"), "x" * LARGE, _deep(), 2**66, {1, 2}, Unspeakable()]

    @portal("poisoned", start=f"{web.url}/list")
    def scrape(visit: Visit) -> Iterator[Entry]:
        visit()
        yield Entry(key="before", data={"n": 1})
        yield Entry(key="\x00", data={})
        for number, value in enumerate(values):
            yield Entry(key=f"p{number}", data={"n": value})
        yield Entry(key="after", data={"n": 2})

    source = Source(name="poisoned", pace=Seconds(0))
    visit = HttpVisit(source.name, scrape.start, tmp_path, politeness=Politeness.of(source))
    settings = Settings(Path("none"), tmp_path, installation.server.url)
    summary = execute.deliver(source, scrape, visit, settings, harvest.new_run_id(), patience=30)
    visit.close()
    assert not summary.pending, summary.lines()
    faults = faults_of(installation, "poisoned", len(values) + 1)
    counted = len(values) + 1
    record(Row("poison from a scraper", installation.name, 8, len(faults), counted, "poison entries"), faults)


def _deep() -> Any:
    value: Any = 1
    for _ in range(DEEP):
        value = [value]
    return value


def send(installation: Installation, door: str, source: str, poison: bytes) -> None:
    before, after = (json.dumps({"key": key, "data": data}).encode() for key, data in NEIGHBOURS.items())
    head = json.dumps({"source": source, "run_id": "r", "batch_id": "b"}).encode()
    body = head[:-1] + b',"entries":[' + b",".join([before, poison, after]) + b"]}"
    if door == "redis":
        assert installation.redis_url
        with redis.Redis.from_url(installation.redis_url) as client:
            client.xadd("portalwire:ingest", {"batch": body})
        return
    answer = requests.post(
        f"{installation.server.url}/api/entries", data=body, headers={"Content-Type": "application/json"}, timeout=60
    )
    answer.raise_for_status()


def _entries(installation: Installation, source: str) -> dict[str, Any]:
    answer = requests.get(f"{installation.server.url}/api/entries?source={source}", timeout=60)
    return {entry["key"]: entry["data"] for entry in answer.json()["entries"]}


def faults_of(installation: Installation, source: str, expected: int) -> list[str]:
    """What is wrong with a source that was sent so much poison."""
    answer = requests.get(f"{installation.server.url}/api/dead-letters?source={source}", timeout=60)
    letters = answer.json()["dead_letters"]
    faults = [f"{source}: a letter without a reason" for letter in letters if not letter["error"]]
    if len(letters) != expected:
        faults.append(f"{source}: {len(letters)} letters for {expected}")
    if _entries(installation, source) != NEIGHBOURS:
        faults.append(f"{source}: its neighbours are not what was sent")
    return faults
