"""The Redis door, seen from outside: one stream record a batch, and the database's receipt before it counts as sent.

Redis may lose everything: what has no receipt is still in the spool, and sent again.
"""

import gzip
import hashlib
import time

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ingest_api.contract import Receipt
from scrapers.deliver.http import READ, Away, Door
from scrapers.deliver.spool import Request
from scrapers.errors import DeliveryFailed

STREAM = "portalwire:ingest"
FIELD = "batch"
TIMEOUT = 5.0  # seconds Redis may take to answer
RECEIPT_WITHIN = 5.0  # seconds until we no longer wait for the receipt, but ask later
AGAIN_AFTER = 15.0  # seconds without a receipt after which a batch is sent once more
FIRST_PAUSE, LONGEST_PAUSE = 0.005, 0.25  # seconds between questions for the receipt


class WrongRedis(DeliveryFailed):
    """`deliver: redis` needs PORTALWIRE_REDIS_URL, the Redis that the server listens to: redis://host:6379/0"""

    code = "wrong_redis"
    lasting = True


class _Name(msgspec.Struct):
    source: str
    batch_id: str


class RedisDoor:
    """Sends batches by `redis_url` and asks `door`, the same server's, for their receipts."""

    def __init__(self, redis_url: str | None, door: Door) -> None:
        self.door = door
        self.url = redis_url
        self._client: redis.Redis | None = None
        self._sent = ("", 0.0)  # digest of the batch sent last, and when

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def send(self, request: Request, within: float = READ) -> Receipt:
        """One try, answered `within` so many seconds; the receipt of the batch. Raises Away, NotLetIn, WrongAddress,
        WrongRedis or Poison."""
        body = gzip.decompress(request.body) if request.encoding else request.body
        digest = hashlib.blake2b(body, digest_size=16).hexdigest()
        name = msgspec.json.decode(body, type=_Name)
        sent, at = self._sent
        if sent != digest or time.monotonic() - at > AGAIN_AFTER:
            self._add(request.body)
            self._sent = (digest, time.monotonic())
        pause, until = FIRST_PAUSE, time.monotonic() + min(RECEIPT_WITHIN, within)
        while (receipt := self.door.receipt(name.source, name.batch_id, digest, request.run_id, within)) is None:
            if time.monotonic() > until:
                raise Away(f"{self.door.url} has no receipt yet: the batch was added to {STREAM}, and is kept")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        return receipt

    def _add(self, body: bytes) -> None:
        try:
            self._connected().xadd(STREAM, {FIELD: body})
        except redis.RedisError as error:
            raise Away(f"no answer from Redis: {error}") from error

    def _connected(self) -> redis.Redis:
        if self._client is None:
            if self.url is None:
                raise WrongRedis
            try:
                self._client = redis.Redis.from_url(
                    self.url,
                    protocol=2,
                    socket_timeout=TIMEOUT,
                    socket_connect_timeout=TIMEOUT,
                    retry=Retry(NoBackoff(), 1),
                )
            except ValueError as error:
                raise WrongRedis(f"PORTALWIRE_REDIS_URL is no address of a Redis: {error}") from error
        return self._client
