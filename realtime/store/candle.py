"""A candle: the ticks of one symbol in one window. Pure: no database.

A tick's place is its time, then its number: the close is the newest by that order and the open the oldest, in whatever
order they come.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec

from ingest_api.contract.source import seconds_of
from realtime.store.moments import iso
from realtime.store.numeric import added, text

Place = tuple[int, str]
"""When (milliseconds) and which: a tick's time and its entry's key."""


class Tick(NamedTuple):
    """One price: of which symbol, where in time, how much and of what volume."""

    symbol: str
    place: Place
    price: Decimal
    volume: Decimal | None


class CandleKey(NamedTuple):
    """What names a candle; `start` in milliseconds."""

    symbol: str
    window: str
    start: int

    @property
    def text(self) -> str:
        """`EURUSD@2026-11-22T07:31:00Z/1m`"""
        return f"{self.symbol}@{iso(self.start)[:19]}Z/{self.window}"

    @property
    def ends(self) -> int:
        return self.start + millis_of(self.window)


class Candle(msgspec.Struct):
    """What a candle holds; exact numbers."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    count: int
    sum: Decimal
    volume: Decimal | None
    first: Place
    last: Place
    closed: bool = False

    @classmethod
    def of(cls, tick: Tick) -> "Candle":
        price = tick.price
        return cls(price, price, price, price, 1, price, tick.volume, tick.place, tick.place)

    def add(self, tick: Tick) -> None:
        """Takes one more tick, late or not."""
        price = tick.price
        self.high, self.low = max(self.high, price), min(self.low, price)
        self.count += 1
        self.sum = added(self.sum, price)
        if tick.volume is not None:
            self.volume = tick.volume if self.volume is None else added(self.volume, tick.volume)
        if _order(tick.place) < _order(self.first):
            self.open, self.first = price, tick.place
        if _order(tick.place) >= _order(self.last):
            self.close, self.last = price, tick.place

    def data(self, key: CandleKey) -> dict[str, str | int | bool | None]:
        """As an entry's data."""
        shown: dict[str, str | int | bool | None] = {
            "symbol": key.symbol,
            "window": key.window,
            "start": iso(key.start),
            "open": text(self.open),
            "high": text(self.high),
            "low": text(self.low),
            "close": text(self.close),
            "count": self.count,
            "sum": text(self.sum),
        }
        if self.volume is not None:
            shown["volume"] = text(self.volume)
        return {**shown, "closed": self.closed}


def millis_of(window: str) -> int:
    """How long a window is."""
    return seconds_of(window) * 1000


def keys_of(tick: Tick, windows: Iterable[str]) -> list[CandleKey]:
    """The candles that a tick belongs to. Windows begin at whole multiples of their length since 1970 UTC."""
    at = tick.place[0]
    return [CandleKey(tick.symbol, window, at - at % millis_of(window)) for window in windows]


def folded(members: Iterable[tuple[CandleKey, Tick]], known: Mapping[CandleKey, Candle]) -> dict[CandleKey, Candle]:
    """The candles that ticks touch, each tick taken into what is `known` of its candle, or into a new one."""
    touched: dict[CandleKey, Candle] = {}
    for key, tick in members:
        candle = touched.get(key) or known.get(key)
        if candle is None:
            candle = Candle.of(tick)
        else:
            candle.add(tick)
        touched[key] = candle
    return touched


def _order(place: Place) -> tuple[int, int, str]:
    """Numbers at the end of keys count up: of two keys the longer is the later one."""
    at, key = place
    return at, len(key), key
