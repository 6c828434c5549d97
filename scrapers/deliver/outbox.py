"""A run's way out: what it has to say is spooled first, then sent at once if the server is there."""

import gzip
from collections.abc import Sequence
from typing import Any

import msgspec

from ingest_api.contract import Batch, RunReport, SourceInfo
from ingest_api.contract.wire import encode
from scrapers.deliver.http import Courier
from scrapers.deliver.spool import DoorName, Request

_LEVEL = 5  # of gzip: most of the gain at a fraction of the time


def announcement(info: SourceInfo, run_id: str = "") -> Request:
    """How a source is configured, and when it runs next."""
    return Request("source", "PUT", f"/api/sources/{info.name}", run_id, encode(info))


def parcel(batch: Batch, unfit: Sequence[dict[str, Any]] = (), door: DoorName = "http") -> Request:
    """A batch, and beside its entries those that are `unfit`, for the server to keep as dead letters."""
    content: Any = batch
    if unfit:
        content = msgspec.to_builtins(batch)
        content["entries"] += unfit
    body = gzip.compress(encode(content), _LEVEL, mtime=0)
    return Request("batch", "POST", "/api/entries", batch.run_id, body, "gzip", door)


class Outbox:
    """Keeps contract values for the server; sends in passing, without waiting for a server that is away."""

    def __init__(self, courier: Courier, door: DoorName = "http") -> None:
        """`door` is the one that batches go to."""
        self.courier = courier
        self._door = door
        self.batches = 0

    def announce(self, info: SourceInfo) -> None:
        """How the source is configured, and when it runs next. Raises SpoolFull."""
        self._put(announcement(info, self.courier.run_id))

    def report(self, report: RunReport) -> None:
        """A run's start or end. Raises SpoolFull."""
        self._put(Request("run", "POST", "/api/runs", report.run_id, encode(report)))

    def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
        """Entries; the `unfit` are sent beside them, for the server to keep as dead letters. Raises SpoolFull."""
        self._put(parcel(batch, unfit, self._door))
        self.batches += 1

    def _put(self, request: Request) -> None:
        self.courier.spool.put(request)
        if not self.courier.failure:
            self.courier.send()
