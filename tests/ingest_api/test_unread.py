"""The doors run on the event loop, where to read a body of 32 MiB would stop everybody: they hand it on as it came."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

import gevent
import pytest
import redis
from flask import Flask, g

from ingest_api.auth import EVERYTHING
from ingest_api.contract.errors import NotABatch
from ingest_api.http import BODIES, door
from ingest_api.paths import TextConverter
from ingest_api.redis_channel import ChannelDoor
from ingest_api.redis_stream import STREAM, StreamDoor
from realtime.intake import StoreIntake
from realtime.metrics import Metrics
from realtime.store.store import Store

NO_GZIP = b"\x1f\x8bno gzip"  # to begin reading it is to fail
TIMEOUT = 10.0  # seconds


class HandedOn(BaseException):
    """What came has reached the intake: this ends a door's loop too."""


class Unreading:
    """An intake that reads nothing."""

    def entries(self, readings: Sequence[Any], *_: Any) -> list[Any]:
        if readings:
            raise HandedOn
        return []

    def aside(self, _work: Any) -> NoReturn:
        raise HandedOn

    def bury(self, *_: Any) -> NoReturn:
        pytest.fail("the door has read it, and found that it is no batch")


@pytest.mark.parametrize("operation", BODIES)
def test_the_post_door_reads_no_body(operation: str) -> None:
    app = Flask(__name__)
    app.testing = True
    app.before_request(lambda: setattr(g, "grant", EVERYTHING))
    app.url_map.converters["text"] = TextConverter
    app.register_blueprint(door(Unreading()))
    method, path = operation.format(name="shop").split()
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    with pytest.raises(HandedOn):
        app.test_client().open(path, method=method, data=NO_GZIP, headers=headers)


def test_the_stream_door_reads_no_record(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, protocol=2) as client:
        client.xadd(STREAM, {"batch": NO_GZIP})
        with pytest.raises(HandedOn):
            StreamDoor(client, Unreading(), "consumer").run()


def test_the_channel_door_reads_no_message() -> None:
    channel = ChannelDoor(Unreading())
    channel.hear(NO_GZIP)
    with pytest.raises(HandedOn):
        channel.run()


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[StoreIntake]:
    store = Store(f"sqlite:///{tmp_path / 'intake.db'}", lambda _: None)
    yield StoreIntake(store, Metrics(), lambda _: False)
    store.close()


@pytest.fixture
def read() -> Callable[[], NoReturn]:
    """A reading that goes on when the event loop has."""
    went_on = threading.Event()
    gevent.spawn(went_on.set)

    def reading() -> NoReturn:
        assert went_on.wait(TIMEOUT), "the event loop stood still"
        raise NotABatch

    return reading


def test_while_a_batch_is_read_the_event_loop_goes_on(intake: StoreIntake, read: Callable[[], NoReturn]) -> None:
    (outcome,) = intake.entries([read])
    assert isinstance(outcome, NotABatch)


def test_while_another_body_is_read_the_event_loop_goes_on(intake: StoreIntake, read: Callable[[], NoReturn]) -> None:
    with pytest.raises(NotABatch):
        intake.aside(read)
