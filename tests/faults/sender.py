"""Delivers a portal's batches until each is acknowledged, and keeps what was."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import requests

from ingest_api.contract import Batch
from scrapers.config import Settings
from scrapers.deliver.doors import Doors
from scrapers.deliver.http import Courier
from scrapers.deliver.outbox import parcel
from scrapers.deliver.spool import Spool
from tests.conftest import eventually
from tests.faults.scripted import Portal, Sent

ANSWER = 3.0  # seconds that a server may take, before the same is sent again

Receipt = dict[str, Any]
Way = Callable[[dict[str, Any]], Receipt | None]
"""Sends a batch once: its receipt, or None when there was no answer."""


class Acknowledged(NamedTuple):
    """A receipt that came, and when by this process's monotonic clock."""

    at: float
    sent: Sent
    receipt: Receipt


@dataclass
class Sender:
    """`sent` and `acknowledged` are in order; `look` is called after each of the tries that were `unanswered`."""

    portal: Portal
    way: Way
    sent: list[Sent] = field(default_factory=list)
    acknowledged: list[Acknowledged] = field(default_factory=list)
    unanswered: int = 0
    look: Callable[[], None] = lambda: None

    def deliver(self, count: int) -> None:
        """So many batches, each again until it is acknowledged, as the scrapers' courier does."""
        for _ in range(count):
            following = self.portal.next()
            self.sent.append(following)
            eventually(lambda following=following: self._one(following), what="the batch is acknowledged")

    def _one(self, sent: Sent) -> bool:
        receipt = self.way(sent.batch)
        if receipt is None:
            self.unanswered += 1
            self.look()
            return False
        self.acknowledged.append(Acknowledged(time.monotonic(), sent, receipt))
        return True


def by_http(url: str) -> Way:
    """The POST door."""

    def send(batch: dict[str, Any]) -> Receipt | None:
        try:
            answer = requests.post(f"{url}/api/entries", json=batch, timeout=ANSWER)
        except requests.RequestException:
            return None
        if answer.status_code in (429, 503):
            return None
        answer.raise_for_status()
        receipt: Receipt = answer.json()
        return receipt

    return send


def by_courier(url: str, var: Path, redis_url: str | None = None) -> Way:
    """The scrapers' own: a spool in `var`, to the POST door or, where there is a `redis_url`, to the Redis door."""
    doors = Doors(Settings(Path("schedules.yaml"), var, url, redis_url=redis_url))
    spooled = ""

    def send(batch: dict[str, Any]) -> Receipt | None:
        nonlocal spooled
        spool = Spool(var, batch["source"])
        if batch["batch_id"] != spooled:
            spool.put(parcel(msgspec.convert(batch, Batch), door="redis" if redis_url else "http"))
            spooled = batch["batch_id"]
        courier = Courier(spool, doors, batch["run_id"])
        courier.send()
        assert not courier.refused, courier.refused
        return msgspec.to_builtins(courier.receipts[0]) if courier.receipts else None

    return send
