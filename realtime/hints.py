"""Hints between processes: what one committed, told to the others at once. A lost hint costs a second, nothing else."""

from typing import Any, Protocol
from uuid import uuid4

import msgspec

from realtime.bus import Bus
from realtime.store.change import Stretch
from realtime.store.commit import Committed

LARGEST = 256 * 1024  # bytes of a hint; of a larger stretch only its end is told, and the others read it from the store

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Stretch).decode


class Told(Protocol):
    """Who takes hints."""

    def tell(self, result: Any) -> None: ...


class Hints:
    """Tells the other processes on this database, and hears them; `epoch` keeps those on another one apart."""

    def __init__(self, bus: Bus, epoch: str, feed: Told) -> None:
        self._bus = bus
        self._feed = feed
        self._channel = f"portalwire:hints:{epoch}"
        self._me = uuid4().bytes
        bus.listen(self._channel, self._hear)

    def publish(self, result: Any) -> None:
        """What a write did; of what is no stretch of a log nobody is told."""
        stretch = result.stretch if isinstance(result, Committed) else result
        if not isinstance(stretch, Stretch) or stretch.upto == stretch.after:
            return
        hint = _encode(stretch)
        if len(hint) > LARGEST:
            hint = _encode(Stretch(stretch.source, stretch.upto, stretch.upto, []))
        self._bus.publish(self._channel, self._me + hint)

    def _hear(self, message: bytes) -> None:
        if not message.startswith(self._me):
            self._feed.tell(_decode(message[len(self._me) :]))
