"""Socket.IO's own messages between processes (`status`, `message`, `top_items`), and those that other programs emit.

It speaks the protocol of python-socketio's message queues, on Flask-SocketIO's channel, over our bus: so that a
write-only `SocketIO(message_queue=…)` in another program reaches every client, and an emit here never waits for Redis.
"""

from collections.abc import Iterator
from typing import Any

import structlog
from gevent.queue import Full, Queue
from socketio.pubsub_manager import PubSubManager

from realtime.bus import Bus
from realtime.fanout.manager import DirectManager

CHANNEL = "flask-socketio"
WAITING = 1000  # messages heard and not yet handed on

log = structlog.get_logger()


class Messages(PubSubManager, DirectManager):  # type: ignore[misc]
    """The client manager of a server that is one of several."""

    name = "portalwire"

    def __init__(self, bus: Bus) -> None:
        super().__init__(channel=CHANNEL)
        self._bus = bus
        self._heard: Queue = Queue(WAITING)
        bus.listen(CHANNEL, self._hear)

    def _hear(self, message: bytes) -> None:
        try:
            self._heard.put_nowait(message)
        except Full:
            log.warning("message lost", reason="more messages than can be handed on")

    def _publish(self, data: dict[str, Any]) -> None:
        self._bus.publish(self.channel, self.json.dumps(data).encode())

    def _listen(self) -> Iterator[bytes]:
        while True:
            yield self._heard.get()
