"""`deliver: redis`: in order, once, and kept until the database's receipt, whatever Redis forgets."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
import requests

from ingest_api.contract import Batch, Entry, RunReport, SourceInfo
from scrapers.config import Settings
from scrapers.deliver.doors import Doors
from scrapers.deliver.http import Away, Courier
from scrapers.deliver.outbox import Outbox
from scrapers.deliver.redis_stream import STREAM, WrongRedis
from scrapers.deliver.spool import Spool
from tests.conftest import Server
from tests.reader import Reader
from tests.redis_door import environment
from tests.servers import RedisServer

STARTED = datetime(2026, 11, 22, 7, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path, redis_url: str) -> Iterator[Server]:
    """A server with a Redis door, not yet started."""
    server = Server(tmp_path, environment(redis_url))
    yield server
    server.stop()


@pytest.fixture
def settings(tmp_path: Path, server: Server, redis_url: str) -> Settings:
    return Settings(schedules=tmp_path, var=tmp_path / "var", ingest_url=server.url, redis_url=redis_url)


def batch(number: int) -> Batch:
    entries = [Entry(key=f"k{number}", data={"n": number})]
    return Batch(source="vendor_x", run_id="run-1", batch_id=f"run-1-{number}", entries=entries)


def keep(outbox: Outbox, batches: range) -> None:
    for number in batches:
        outbox.batch(batch(number))


def stored(server: Server) -> list[int]:
    """What the log holds, in its order."""
    with Reader(server.url) as reader:
        head = reader.join("vendor_x", history=True)["offset"]
        reader.reach("vendor_x", head)
        assert reader.violations == []
        return [change["data"]["n"] for change in reader.changes["vendor_x"]]


def test_everything_arrives_once_and_in_order(server: Server, settings: Settings, redis_url: str) -> None:
    server.start()
    with Doors(settings) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        outbox = Outbox(courier, "redis")
        outbox.announce(SourceInfo(name="vendor_x", title="Vendor X"))
        keep(outbox, range(20))
        assert courier.failure is None
        assert len(courier.receipts) == 20
        assert [receipt.offset for receipt in courier.receipts] == list(range(1, 21))
    assert stored(server) == list(range(20))
    source = requests.get(f"{server.url}/api/sources/vendor_x", timeout=30).json()
    assert source["title"] == "Vendor X"


def test_reports_wait_for_the_batches_before_them(server: Server, settings: Settings) -> None:
    """The server is away: the batch is in the stream, nothing after it overtakes it."""
    with Doors(settings) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        outbox = Outbox(courier, "redis")
        keep(outbox, range(2))
        outbox.report(RunReport(run_id="run-1", source="vendor_x", state="complete", started_at=STARTED))
        assert isinstance(courier.failure, Away)
        assert len(courier.spool.pending()) == 3
        server.start()
        assert courier.send(patience=60)
        assert len(courier.receipts) == 2
    runs = requests.get(f"{server.url}/api/runs?source=vendor_x", timeout=30).json()["runs"]
    assert [(run["id"], run["new"]) for run in runs] == [("run-1", 2)]


def test_a_redis_that_loses_everything_loses_nothing(
    server: Server, settings: Settings, redis_server: RedisServer
) -> None:
    with Doors(settings) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        keep(Outbox(courier, "redis"), range(5))
    with redis.Redis.from_url(redis_server.url) as client:
        assert client.xlen(STREAM) == 1
    redis_server.flush()
    server.start()
    with Doors(settings) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        assert courier.send(patience=60)
        assert len(courier.receipts) == 5
    assert stored(server) == list(range(5))


def test_a_redis_that_is_away(server: Server, settings: Settings, redis_server: RedisServer) -> None:
    server.start()
    redis_server.kill()
    with Doors(settings) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        keep(Outbox(courier, "redis"), range(3))
        assert isinstance(courier.failure, Away)
        assert "Redis" in str(courier.failure)
        redis_server.start()
        assert courier.send(patience=60)
    assert stored(server) == [0, 1, 2]


def test_what_can_never_be_stored_is_set_aside(server: Server, settings: Settings) -> None:
    server.start()
    with Doors(settings) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        outbox = Outbox(courier, "redis")
        outbox.batch(batch(1))
        other = Batch(source="vendor_x", run_id="run-1", batch_id="run-1-1", entries=[])
        outbox.batch(other)
        outbox.batch(batch(2))
        assert courier.spool.pending() == []
        assert len(courier.refused) == 1
        assert "409" in courier.refused[0][1]
    assert stored(server) == [1, 2]


def test_without_a_redis_it_says_what_to_set(settings: Settings) -> None:
    nowhere = Settings(schedules=settings.schedules, var=settings.var, ingest_url=settings.ingest_url)
    with Doors(nowhere) as doors:
        courier = Courier(Spool(settings.var, "vendor_x"), doors, "run-1")
        keep(Outbox(courier, "redis"), range(1))
        assert isinstance(courier.failure, WrongRedis)
        assert "PORTALWIRE_REDIS_URL" in str(courier.failure)
