"""The candles' statements: in bulk, however many ticks a batch has."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from realtime.store import bulk
from realtime.store.candle import Candle, CandleKey
from realtime.store.keys import keyed
from realtime.store.numeric import text
from realtime.store.schema import candles

DUE = 1000  # candles that one batch closes

_NAME = ("symbol", "window", "start")
_PRICES = ("open", "high", "low", "close", "count", "sum", "volume")
_MOVES = (*_PRICES, "first_at", "first_key", "last_at", "last_key", "closed")
_STORED = ("source", "key", "ends", *_NAME, *_MOVES)
_COLUMNS = [candles.c[name] for name in (*_NAME, *_MOVES)]


def known(connection: sa.Connection, source: str, keys: Collection[CandleKey]) -> dict[CandleKey, Candle]:
    """What is stored of these candles."""
    if not keys:
        return {}
    named = keyed(connection, candles, source, [key.text for key in keys])
    return _read(connection.execute(sa.select(*_COLUMNS).where(named)))


def due(connection: sa.Connection, source: str, as_of: int) -> dict[CandleKey, Candle]:
    """The running candles whose window ended by `as_of`."""
    query = (
        sa.select(*_COLUMNS)
        .where(candles.c.source == source, candles.c.closed.is_(sa.false()), candles.c.ends <= as_of)
        .order_by(candles.c.ends)
        .limit(DUE)
    )
    return _read(connection.execute(query))


def put(connection: sa.Connection, source: str, touched: Mapping[CandleKey, Candle]) -> None:
    """Makes the stored candles what these are."""
    rows = [_row(source, key, candle) for key, candle in touched.items()]
    bulk.insert(connection, candles, _STORED, rows, renew=_MOVES)


def _row(source: str, key: CandleKey, candle: Candle) -> tuple[Any, ...]:
    """In the order of _STORED."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    volume = None if candle.volume is None else text(candle.volume)
    moves = (*map(text, prices), candle.count, text(candle.sum), volume, *candle.first, *candle.last, candle.closed)
    return (source, key.text, key.ends, *key, *moves)


def _read(rows: Any) -> dict[CandleKey, Candle]:
    found = {}
    for symbol, window, start, opened, high, low, close, count, total, volume, *ends, closed in rows:
        found[CandleKey(symbol, window, start)] = Candle(
            open=Decimal(opened),
            high=Decimal(high),
            low=Decimal(low),
            close=Decimal(close),
            count=count,
            sum=Decimal(total),
            volume=None if volume is None else Decimal(volume),
            first=(ends[0], ends[1]),
            last=(ends[2], ends[3]),
            closed=closed,
        )
    return found
