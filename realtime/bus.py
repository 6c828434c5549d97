"""Word between server processes over Redis Pub/Sub: fast, and nothing that anybody relies on.

A message may be lost, on the way or with Redis; whoever listens has the store behind it. While Redis is away messages
are dropped, nobody waits for it, and it is tried again every second.
"""

from collections.abc import Callable

import gevent
import redis
import structlog
from gevent.queue import Full, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT = 2.0  # seconds Redis may take to answer
QUIET = 5.0  # seconds of silence after which Redis is asked whether it is there
AGAIN = 1.0  # seconds between tries to reach it
WAITING = 500  # messages that may wait to be sent; more are dropped
AT_ONCE = 50  # messages of one round trip

log = structlog.get_logger()
Handler = Callable[[bytes], None]


def connect(url: str, timeout: float = TIMEOUT) -> redis.Redis:
    """A client that gives up after `timeout` seconds and tries once more on a fresh connection, at once."""
    return redis.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 1),
    )


class Bus:
    """One process's connection to all others. Channels are listened to before `start`."""

    def __init__(self, url: str) -> None:
        self._client = connect(url)
        self._handlers: dict[str, Handler] = {}
        self._outgoing: Queue = Queue(WAITING)
        self._loops: list[gevent.Greenlet] = []
        self.connected = False

    def listen(self, channel: str, handler: Handler) -> None:
        """Calls `handler` with every message of the channel, also with this process's own."""
        self._handlers[channel] = handler

    def publish(self, channel: str, message: bytes) -> None:
        """Sends a message if it can; never switches to another greenlet."""
        try:
            self._outgoing.put_nowait((channel, message))
        except Full:
            log.debug("message dropped", channel=channel)

    def start(self) -> None:
        self._loops = [gevent.spawn(self._send), gevent.spawn(self._receive)]

    def close(self) -> None:
        gevent.killall(self._loops)
        self._client.close()

    def _send(self) -> None:
        while True:
            messages = [self._outgoing.get()]
            while len(messages) < AT_ONCE and not self._outgoing.empty():
                messages.append(self._outgoing.get())
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for channel, message in messages:
                        pipeline.publish(channel, message)
                    pipeline.execute()
            except redis.RedisError as error:
                log.debug("messages lost", count=len(messages), error=str(error))
                gevent.sleep(AGAIN)

    def _receive(self) -> None:
        while True:
            try:
                self._listen()
            except redis.RedisError as error:
                if self.connected:
                    log.warning("redis away", error=str(error))
                self.connected = False
            gevent.sleep(AGAIN)

    def _listen(self) -> None:
        with self._client.pubsub() as pubsub:  # type: ignore[no-untyped-call]
            pubsub.subscribe(*self._handlers)
            asked = False
            while True:
                message = pubsub.get_message(timeout=QUIET)
                if message is None and asked:
                    raise redis.TimeoutError(f"silent for {2 * QUIET:g} s")
                asked = message is None
                if message is None:
                    pubsub.ping()
                elif message["type"] == "message":
                    self._handle(message["channel"].decode(), message["data"])
                elif not self.connected:
                    self.connected = True
                    log.info("redis connected")

    def _handle(self, channel: str, message: bytes) -> None:
        try:
            self._handlers[channel](message)
        except Exception:
            log.exception("message failed", channel=channel)
