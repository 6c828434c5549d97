"""Candles for a chart: arrays, a bounded stretch of one symbol and window."""

from typing import Any

import msgspec
import sqlalchemy as sa

from ingest_api.contract import Aggregate
from ingest_api.contract.errors import NotFound
from ingest_api.contract.source import CANDLES
from realtime.store.aggregate import candles_of
from realtime.store.configured import aggregate_in
from realtime.store.moments import iso
from realtime.store.schema import candles, sources

SYMBOLS = 1000  # symbols that are named

_COLUMNS = ("start", "open", "high", "low", "close", "count", "sum", "volume", "closed")


class CandlesView(msgspec.Struct, kw_only=True):
    """Candles of one symbol and window, oldest first, as arrays of equal length. Prices and sums are exact, as text.

    `symbols` and `windows` are what one may choose from; `room` is where the candles are followed, from `offset` on.
    """

    source: str
    room: str
    epoch: str
    offset: int
    as_of: str | None
    symbols: list[str]
    windows: list[str]
    symbol: str | None
    window: str
    start: list[str]
    open: list[str]
    high: list[str]
    low: list[str]
    close: list[str]
    count: list[int]
    sum: list[str]
    volume: list[str | None]
    closed: list[bool]


def candle_list(
    connection: sa.Connection,
    *,
    epoch: str,
    source: str,
    symbol: str | None,
    window: str | None,
    before: int | None,
    limit: int,
) -> CandlesView:
    """The newest candles that begin before `before` (milliseconds); of the first symbol and window unless told."""
    source = source.removesuffix(CANDLES)
    config = _config(connection, source)
    window = window or config.windows[0]
    derived = candles_of(source)
    there = connection.execute(
        sa.select(sources.c.head, sources.c.as_of).where(sources.c.name == derived)
    ).one_or_none()
    symbols = _symbols(connection, derived, window)
    symbol = symbol or next(iter(symbols), None)
    columns = _columns(_rows(connection, derived, window, symbol, before, limit))
    return CandlesView(
        source=source,
        room=f"{source}/candles/{window}",
        epoch=epoch,
        offset=there.head if there else 0,
        as_of=iso(there.as_of) if there and there.as_of else None,
        symbols=symbols,
        windows=config.windows,
        symbol=symbol,
        window=window,
        **{**columns, "start": [iso(start) for start in columns["start"]]},
    )


def _config(connection: sa.Connection, source: str) -> Aggregate:
    told = connection.execute(sa.select(sources.c.aggregate).where(sources.c.name == source)).scalar()
    config = aggregate_in(told)
    if config is None:
        raise NotFound(f"there are no candles of {source!r}: its source has no `aggregate` in schedules.yaml")
    return config


def _rows(
    connection: sa.Connection, derived: str, window: str, symbol: str | None, before: int | None, limit: int
) -> list[Any]:
    """Oldest first."""
    query = (
        sa.select(*(candles.c[name] for name in _COLUMNS))
        .where(candles.c.source == derived, candles.c.window == window, candles.c.symbol == symbol)
        .order_by(candles.c.start.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(candles.c.start < before)
    return list(reversed(connection.execute(query).all()))


def _columns(rows: list[Any]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(_COLUMNS)}


def _symbols(connection: sa.Connection, derived: str, window: str) -> list[str]:
    """The symbols there are: one look into the index for each, however many candles they have."""
    mine = (candles.c.source == derived) & (candles.c.window == window)
    first = sa.select(sa.func.min(candles.c.symbol).label("symbol")).where(mine)
    each = first.cte("each", recursive=True)
    following = sa.select(sa.func.min(candles.c.symbol)).where(mine, candles.c.symbol > each.c.symbol).scalar_subquery()
    each = each.union_all(sa.select(following).where(each.c.symbol.is_not(None)))
    query = sa.select(each.c.symbol).where(each.c.symbol.is_not(None)).limit(SYMBOLS)
    return list(connection.execute(query).scalars())
