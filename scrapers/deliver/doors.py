"""The doors of a server, seen from outside: each request goes to the one that it was kept for."""

from ingest_api.contract import Receipt
from scrapers.config.settings import Settings
from scrapers.deliver.http import READ, Door
from scrapers.deliver.redis_stream import RedisDoor
from scrapers.deliver.spool import Request


class Doors:
    """Connections to both doors, opened when they are needed. Not to be shared between threads."""

    def __init__(self, settings: Settings) -> None:
        self._http = Door(settings.ingest_url, settings.token)
        self._redis = RedisDoor(settings.redis_url, self._http)
        self.url = self._http.url

    def __enter__(self) -> "Doors":
        return self

    def __exit__(self, *exc: object) -> None:
        self._redis.close()
        self._http.close()

    def send(self, request: Request, within: float = READ) -> Receipt | None:
        """One try, answered `within` so many seconds; the receipt of a batch. Raises DeliveryFailed."""
        door = self._redis if request.door == "redis" else self._http
        return door.send(request, within)
