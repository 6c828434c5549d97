"""Watermarks: what a source says even when nothing changed."""

import time
from collections.abc import Iterator
from typing import Any

from realtime.store.moments import iso_or_none, now
from realtime.store.standing import Vitals, info_of, standing

AGAIN = 5.0  # seconds after which an unchanged watermark is said again


class Watermarks:
    """The last known word about every source, and when it was said."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch
        self._vitals: dict[str, Vitals] = {}
        self._said: dict[str, tuple[dict[str, Any], int, float]] = {}  # source -> watermark, head, when

    @property
    def sources(self) -> list[str]:
        return list(self._vitals)

    def floor(self, source: str) -> int:
        """Cursors below it need a snapshot."""
        vitals = self._vitals.get(source)
        return vitals.floor if vitals else 0

    def quiet(self, source: str) -> bool:
        """Whether it changes faster than people read, so that a log need not name each of its batches."""
        vitals = self._vitals.get(source)
        return vitals is not None and info_of(vitals).quiet

    def update(self, vitals: Vitals) -> None:
        self._vitals[vitals.name] = vitals

    def of(self, source: str) -> dict[str, Any]:
        """`{epoch, as_of, state, run}` now; the room and its offset are the teller's to add."""
        vitals = self._vitals.get(source)
        if vitals is None:
            return {"epoch": self._epoch, "as_of": None, "state": "waiting", "run": None}
        return {
            "epoch": self._epoch,
            "as_of": iso_or_none(vitals.as_of),
            "state": standing(vitals, info_of(vitals), now()).state,
            "run": vitals.last_run,
        }

    def due(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The watermarks that changed, or were not said for a while."""
        for source, vitals in self._vitals.items():
            watermark = self.of(source)
            said, head, at = self._said.get(source, ({}, 0, 0.0))
            if (watermark, vitals.head) != (said, head) or time.monotonic() - at >= AGAIN:
                self._said[source] = (watermark, vitals.head, time.monotonic())
                yield source, watermark
