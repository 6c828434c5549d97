"""The candles' statements: in bulk, however many ticks a batch has."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from realtime.store.candle import Candle, CandleKey
from realtime.store.numeric import text
from realtime.store.schema import candles
from realtime.store.write import among, insert_ignoring

DUE = 1000  # candles that one batch closes

_COLUMNS = [candles.c[name] for name in ("symbol", "window", "start", "open", "high", "low", "close", "count", "sum",
    "volume", "first_at", "first_key", "last_at", "last_key", "closed")]  # fmt: skip


def known(connection: sa.Connection, source: str, keys: Collection[CandleKey]) -> dict[CandleKey, Candle]:
    """What is stored of these candles."""
    if not keys:
        return {}
    named = among(connection, candles.c.key, [key.text for key in keys])
    return _read(connection.execute(sa.select(*_COLUMNS).where(candles.c.source == source, named)))


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
    if not touched:
        return
    rows = [_row(source, key, candle) for key, candle in touched.items()]
    statement = insert_ignoring(connection, candles)
    kept = ("source", "key", "symbol", "window", "start", "ends")
    statement = statement.on_conflict_do_update(
        index_elements=[candles.c.source, candles.c.key],
        set_={name: statement.excluded[name] for name in rows[0] if name not in kept},
    )
    connection.execute(statement, rows)


def _row(source: str, key: CandleKey, candle: Candle) -> dict[str, Any]:
    return {
        "source": source,
        "key": key.text,
        "symbol": key.symbol,
        "window": key.window,
        "start": key.start,
        "ends": key.ends,
        "open": text(candle.open),
        "high": text(candle.high),
        "low": text(candle.low),
        "close": text(candle.close),
        "count": candle.count,
        "sum": text(candle.sum),
        "volume": None if candle.volume is None else text(candle.volume),
        "first_at": candle.first[0],
        "first_key": candle.first[1],
        "last_at": candle.last[0],
        "last_key": candle.last[1],
        "closed": candle.closed,
    }


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
