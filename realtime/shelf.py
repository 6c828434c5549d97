"""Where answers are kept that others may ask for too: in this process, and in Redis when there is one."""

import time
from collections import OrderedDict
from typing import Protocol

import redis

QUICK = 0.5  # seconds that Redis may take to answer; the store is as fast
KEPT = 200  # answers that a process keeps
SECONDS = 60  # that Redis keeps one
PAUSE = 5.0  # seconds for which Redis is left alone after it did not answer


class Shelf(Protocol):
    """Bytes by name. What was put may be gone at any time."""

    def get(self, name: str) -> bytes | None: ...

    def put(self, name: str, value: bytes) -> None: ...


class MemoryShelf:
    """The answers used last, of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()

    def get(self, name: str) -> bytes | None:
        value = self._kept.get(name)
        if value is not None:
            self._kept.move_to_end(name)
        return value

    def put(self, name: str, value: bytes) -> None:
        self._kept[name] = value
        self._kept.move_to_end(name)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)


class RedisShelf:
    """The answers of all processes, for a minute. While Redis is away there are none, and nobody waits for it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._again = 0.0  # when Redis may be asked again

    def get(self, name: str) -> bytes | None:
        if time.monotonic() < self._again:
            return None
        try:
            value: bytes | None = self._client.get(name)  # type: ignore[assignment]
        except redis.RedisError:
            self._again = time.monotonic() + PAUSE
            return None
        return value

    def put(self, name: str, value: bytes) -> None:
        if time.monotonic() < self._again:
            return
        try:
            self._client.set(name, value, ex=SECONDS)
        except redis.RedisError:
            self._again = time.monotonic() + PAUSE
