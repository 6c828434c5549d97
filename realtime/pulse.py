"""The pulse: every stretch that this process took, as one point, told a few times a second in arrays.

It is for charts: who is in the room `*` hears it. A point that is lost is not sent again; a chart that is opened later
draws what the store counted.
"""

from collections import Counter
from typing import Any, get_args

import gevent

from realtime.fanout import Fanout
from realtime.overview import hears
from realtime.rooms import EVERY_SOURCE
from realtime.store.change import Kind, Stretch
from realtime.store.moments import iso, now

EVERY = 0.2  # seconds
MOST = 2000  # points that wait; the oldest go first


class Pulse:
    """Gathers points, and tells them."""

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout
        self._points: list[dict[str, Any]] = []

    def beat(self, stretch: Stretch) -> None:
        """Takes note of a stretch. Never switches."""
        kinds = Counter(change.kind for change in stretch.changes)
        point = {"source": stretch.source, "at": iso(now()), "offset": stretch.upto}
        self._points.append({**point, **{kind: kinds[kind] for kind in get_args(Kind)}})
        del self._points[:-MOST]

    def run(self) -> None:
        """Tells what was gathered, for ever."""
        while True:
            gevent.sleep(EVERY)
            points, self._points = self._points, []
            if points:
                for room in self._fanout.rooms(EVERY_SOURCE.source):
                    heard = [point for point in points if hears(room, point["source"])]
                    self._fanout.send(room.name, "pulse", {"points": heard})
