"""The doors of a server, seen from outside: each request goes to the one that it was kept for."""

from ingest_api.contract import Receipt
from scrapers.config.settings import Settings
from scrapers.deliver.http import Door
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

    def send(self, request: Request) -> Receipt | None:
        """One try; the receipt of a batch. Raises DeliveryFailed."""
        return self._redis.send(request) if request.door == "redis" else self._http.send(request)
