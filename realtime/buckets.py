"""Token buckets: how often a client may do something, with room for a burst."""

from collections.abc import Hashable, Mapping

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """So many a second on average, and so many at once."""

    each_second: float
    burst: float

    def times(self, factor: float) -> "Rate":
        return Rate(self.each_second * factor, self.burst * factor)


class _Bucket(msgspec.Struct):
    left: float
    at: float  # when `left` was true


class Buckets:
    """A bucket for each owner and kind of thing; a full one is not kept."""

    def __init__(self, rates: Mapping[str, Rate], otherwise: Rate) -> None:
        self._rates = rates
        self._otherwise = otherwise
        self._buckets: dict[tuple[Hashable, str], _Bucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, owner: Hashable, kind: str, now: float) -> float:
        """0 when the owner may do it now; else how many seconds it has to wait, and nothing is taken."""
        kind = kind if kind in self._rates else ""
        rate = self._rate(kind)
        bucket = self._buckets.setdefault((owner, kind), _Bucket(rate.burst, now))
        bucket.left = min(rate.burst, bucket.left + (now - bucket.at) * rate.each_second)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / rate.each_second
        bucket.left -= 1
        return 0.0

    def prune(self, now: float) -> None:
        """Forgets the buckets that are full again."""
        full = [
            name
            for name, bucket in self._buckets.items()
            if bucket.left + (now - bucket.at) * self._rate(name[1]).each_second >= self._rate(name[1]).burst
        ]
        for name in full:
            del self._buckets[name]

    def _rate(self, kind: str) -> Rate:
        return self._rates.get(kind, self._otherwise)
