"""What Redis adds to a server process: the other processes, and two more doors."""

import os
import socket
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from ingest_api.intake import Intake
from ingest_api.redis_channel import CHANNEL, ChannelDoor
from ingest_api.redis_stream import BLOCK, StreamDoor
from realtime.bus import Bus, connect
from realtime.feed import Feed
from realtime.hints import Hints
from realtime.messages import Messages


class RedisSide:
    """Put together in the order in which the server is: the bus, then what speaks over it."""

    def __init__(self, url: str, claim_after: float) -> None:
        self.bus = Bus(url)
        self.messages = Messages(self.bus)
        self._url = url
        self._claim_after = claim_after
        self._hints: Hints | None = None

    def tell(self, result: Any) -> None:
        """What a write did, for the other processes."""
        if self._hints is not None:
            self._hints.publish(result)

    def open(self, feed: Feed, intake: Intake) -> list[Callable[[], None]]:
        """Joins the other processes; returns the loops that serve the doors."""
        self._hints = Hints(self.bus, feed.epoch, feed)
        channel = ChannelDoor(intake)
        self.bus.listen(CHANNEL, channel.hear)
        consumer = f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        stream = StreamDoor(connect(self._url, timeout=2 * BLOCK), intake, consumer, self._claim_after)
        self.bus.start()
        return [stream.run, channel.run]

    def close(self) -> None:
        self.bus.close()
