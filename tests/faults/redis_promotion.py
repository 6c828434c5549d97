"""Redis goes over to a replica that lacks what its primary heard last; the address stays the same."""

import random
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import redis

from scrapers.deliver import redis_stream
from tests.conftest import eventually
from tests.faults.configurations import configured
from tests.faults.outages import AGAIN
from tests.faults.proxy import Proxy
from tests.faults.sender import by_courier
from tests.faults.stage import staged
from tests.redis_door import GROUP, STREAM, environment
from tests.servers import RedisServer

RECORDS = "Redis promoted without the last records"
XACKS = "Redis promoted without the last XACKs"
BATCHES = 12  # enough that, of three processes, one has the fourth
POINTS = {RECORDS: "before commit", XACKS: "before acknowledgement"}


def promoted(name: str, configuration: str, seed: int, folder: Path) -> None:
    """A consumer is killed with a record in its hands. Of RECORDS the replica never hears of that one, which nobody
    stored: the courier, who has no receipt, must add it again. Of XACKS it has it as pending, although it was stored,
    claimed and acknowledged since: it is delivered again. Either way its last-delivered-id is an older one."""
    fault = f"{POINTS[name]}:{random.Random(seed).randint(3, 4)}"  # not while it begins
    with ExitStack() as stack:
        stack.enter_context(patch.object(redis_stream, "AGAIN_AFTER", AGAIN))
        setup = stack.enter_context(configured(configuration, folder, redis=True))
        primary = setup.redis
        assert primary is not None
        replica = _replica(primary, folder)
        stack.callback(replica.kill)
        proxy = stack.enter_context(Proxy(primary.port))
        url = f"redis://127.0.0.1:{proxy.port}/0"
        way = partial(by_courier, var=folder / "var", redis_url=url)
        more = environment(url)
        stage = stack.enter_context(
            staged(configuration, folder, seed, fault=fault, setup=setup, way=way, environment=more)
        )
        stage.deliver(2)
        if name == RECORDS:
            replica.promote()
        with stage.delivering(BATCHES) as delivery:
            eventually(lambda: stage.service.killed or delivery.done(), what="a process is killed")
            if name == XACKS:
                left = eventually(lambda: _pending(replica), what="the replica knows that it is pending")
                replica.promote()
                eventually(lambda: not left & _pending(primary), what="it is acknowledged")
            eventually(lambda: _newest(primary) > _newest(replica), what="the replica lacks records")
            primary.kill()
            proxy.target = replica.port
            proxy.cut()
        assert stage.service.killed == 1, "it was killed"
        assert stage.sender.unanswered > 0 or name == XACKS, "a record was missed"
        stage.deliver(BATCHES // 2)
        stage.count(name)
        eventually(lambda: not _pending(replica), what="nothing is left pending")


def _replica(primary: RedisServer, folder: Path) -> RedisServer:
    place = folder / "replica"
    place.mkdir()
    replica = primary.replica(place)
    eventually(lambda: replica.follows, what="the replica has all")
    return replica


def _pending(server: RedisServer) -> set[bytes]:
    """Records that a consumer has, and has not acknowledged."""
    with redis.Redis.from_url(server.url, protocol=2) as client:
        pending: Any = client.xpending_range(STREAM, GROUP, "-", "+", 100)
    return {each["message_id"] for each in pending}


def _newest(server: RedisServer) -> tuple[int, ...]:
    with redis.Redis.from_url(server.url, protocol=2) as client:
        stream: Any = client.xinfo_stream(STREAM)
    return tuple(map(int, stream["last-generated-id"].split(b"-")))


SCENARIOS: dict[str, Callable[[str, int, Path], None]] = {name: partial(promoted, name) for name in POINTS}
