"""The clock: `time` once a second for everyone, from one producer among all processes.

A tick is a beat of a lease in the database: whoever holds it beats every second, tells its own clients and, over the
bus, the other processes. These look at the lease anyway, so that without Redis they hear of a beat a little later.
Every process tells a beat once and none that is older than the last: a paused holder's late word is not heard.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import gevent
import msgspec

from ingest_api.contract.errors import Unavailable
from realtime.bus import Bus
from realtime.lease import Lease
from realtime.store.leases import Beat
from realtime.store.moments import iso

LOOK = 0.25  # seconds between looks at a lease that another process holds

_decode = msgspec.json.Decoder(Beat).decode


class Clock:
    """This process's clock: `tell` is called with the payload of each tick."""

    def __init__(self, lease: Lease, epoch: str, tell: Callable[[dict[str, str]], None], bus: Bus | None) -> None:
        self._lease = lease
        self._channel = f"portalwire:clock:{epoch}"
        self._tell = tell
        self._bus = bus
        self._told = (0, 0)  # term and number of the last tick
        if bus is not None:
            bus.listen(self._channel, lambda message: self._hear(_decode(message)))

    def run(self) -> None:
        """Ticks or listens, for ever."""
        while True:
            try:
                self._step()
            except Unavailable:
                gevent.sleep(LOOK)

    def close(self) -> None:
        """Hands the lease over."""
        with suppress(Unavailable):  # then the others find out that it does not beat
            self._lease.release()

    def _step(self) -> None:
        if not self._lease.held:
            gevent.sleep(LOOK)
            seen = self._lease.watch()
            if seen is not None:
                self._hear(seen)
            return
        gevent.sleep(1 - time.time() % 1)
        beat = self._lease.beat()
        if beat is None:
            return
        self._hear(beat)
        if self._bus is not None:
            self._bus.publish(self._channel, msgspec.json.encode(beat))

    def _hear(self, beat: Beat) -> None:
        if beat.number and (beat.term, beat.number) > self._told:
            self._told = (beat.term, beat.number)
            self._tell({"time": iso(beat.at)})
