"""The Redis door alone: each batch is added once, by a sender who keeps nothing and asks for no receipt before XACK."""

import hashlib
import random
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import redis

from scrapers.deliver.http import Away, Door
from tests.faults import counts
from tests.faults.configurations import configured
from tests.faults.sender import ANSWER, Receipt, Way
from tests.faults.stage import staged
from tests.redis_door import GROUP, STREAM, RedisDoor

NAME = "kill -9 at the Redis door, each batch added once"
POINTS = ("before commit", "after commit", "before answer", "before acknowledgement")
RAW = "vendor_raw"  # whose batches are independent, so that many may wait at once, and come in any order
ROUNDS, BURST = 4, 12
BATCHES = 2  # of the portal in each round
LOST: Receipt = {"offset": 0, "new": 0, "changed": 0, "removed": 0, "unchanged": 0, "late": 0}


def killed(configuration: str, seed: int, folder: Path) -> None:
    """What is neither in the stream nor pending is in the database: a batch, or a dead letter."""
    chosen = random.Random(seed)
    fault = f"{chosen.choice(POINTS)}:{chosen.randint(1, 3)}"
    with ExitStack() as stack:
        setup = stack.enter_context(configured(configuration, folder, redis=True))
        assert setup.redis is not None
        way = partial(by_stream, redis_url=setup.redis.url)
        stage = stack.enter_context(
            staged(configuration, folder, seed, fault=fault, kills=1 + seed % 3, setup=setup, way=way)
        )
        door = RedisDoor(stage.service, setup.redis.url)
        stack.callback(door.close)
        added: list[str] = []
        for _ in range(ROUNDS):
            for number in range(len(added), len(added) + BURST):
                added.append(f"raw-{seed}-{number}")
                door.add(msgspec.json.encode(_raw(added[-1], number)))
            stage.deliver(BATCHES)
        door.drain()
        assert stage.service.killed > 0, "a process was killed"
        stage.settle()
        found = stage.found()
        wrong, acknowledged, what = found[1]
        kept = counts.kept_of(stage.database, RAW)
        wrong += [("no such batch", name) for name in added if name not in kept]
        found[1] = (wrong, acknowledged + len(added), f"{what} and records")
        log = counts.log_of(stage.database, RAW)
        twice = len(log) - len({change["key"] for change in log})
        found[2] = ([*found[2][0], *["made again"] * twice], found[2][1] + len(log), found[2][2])
        counts.note(NAME, configuration, found)


def by_stream(url: str, redis_url: str) -> Way:
    """A record that is added once, whatever comes of it. It is acknowledged when no consumer has it pending any more;
    what the server then has no receipt of is LOST."""
    door = Door(url)
    client = redis.Redis.from_url(redis_url, protocol=2)
    records: dict[str, bytes] = {}

    def send(batch: dict[str, Any]) -> Receipt | None:
        body = msgspec.json.encode(batch)
        name = batch["batch_id"]
        if name not in records:
            added: Any = client.xadd(STREAM, {"batch": body})
            records[name] = added
        until = time.monotonic() + ANSWER
        while not _acknowledged(client, records[name]):
            if time.monotonic() > until:
                return None
            time.sleep(0.01)
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        try:
            receipt = door.receipt(batch["source"], name, digest, batch["run_id"], ANSWER)
        except Away:
            return None
        return LOST if receipt is None else msgspec.to_builtins(receipt)

    return send


def _acknowledged(client: redis.Redis, record: bytes) -> bool:
    """Whether the group was given it, and has it no more."""
    groups: Any = client.xinfo_groups(STREAM)
    delivered = next((group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()), b"0-0")
    pending: Any = client.xpending_range(STREAM, GROUP, record, record, 1)
    return not pending and _order(delivered) >= _order(record)


def _order(record: bytes) -> tuple[int, ...]:
    return tuple(map(int, record.split(b"-")))


def _raw(name: str, number: int) -> dict[str, Any]:
    entries: Any = [{"key": name, "data": {"step": number}}]
    if number % BURST == 5:  # a dead letter among its neighbours
        entries = "no list"
    return {"source": RAW, "run_id": name, "batch_id": name, "complete": False, "entries": entries}


SCENARIOS = {NAME: killed}
