"""From ticks to candles, inside the transaction of the batch that brings the ticks.

The candles of `vendor_ticks` are the entries of a source of their own, `vendor_ticks.candles`, with a topic for each
window. So whoever follows them follows an ordinary log, and a kill loses or doubles neither a tick nor a candle.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec
import sqlalchemy as sa

from ingest_api.contract import Aggregate, Entry, SourceInfo
from ingest_api.contract.errors import ContractError
from ingest_api.contract.source import CANDLES
from realtime.store import candle_rows, forget, ranking, write
from realtime.store.candle import Candle, CandleKey, Tick, folded, keys_of
from realtime.store.change import Change, Stretch
from realtime.store.classify import Observed
from realtime.store.configured import aggregate_in
from realtime.store.numeric import number
from realtime.store.steps import Step, changes_of
from realtime.store.write import SourceRow

SYMBOL = 150  # characters of a symbol; what is longer has no candle


class Reserved(ContractError):
    """The name of this source belongs to the candles of another: deliver to that one."""

    code = "reserved_name"


def candles_of(source: str) -> str:
    """The source that holds the candles of `source`."""
    return source + CANDLES


def refuse_reserved(source: str) -> None:
    if source.endswith(CANDLES):
        raise Reserved(f"{source} holds the candles of {source.removesuffix(CANDLES)}: deliver to that one")


def announced(info: SourceInfo) -> SourceInfo:
    """What is said of the candles' source when its ticks' source is announced with `info`."""
    return SourceInfo(
        name=candles_of(info.name),
        title=f"{info.title or info.name}, candles",
        schedule=info.schedule,
        every=info.every,
        stale_after=info.stale_after,
        lead="close",
        quiet=True,
    )


def aggregated(
    connection: sa.Connection,
    source: SourceRow,
    run_id: str,
    steps: Sequence[Change],
    entries: Iterable[Entry],
    at: int,
) -> Stretch | None:
    """Takes a batch's new and changed entries into the candles of `source`, closes what is over, and returns the
    stretch of the candles' log that this made; None where a source has no candles."""
    config = aggregate_in(source.aggregate)
    if config is None:
        return None
    derived = write.locked_source(connection, candles_of(source.name))
    as_of = source.as_of or at

    ticks = list(_ticks(config, steps, {entry.key: entry.data for entry in entries}))
    members = [(key, tick) for tick in ticks for key in keys_of(tick, config.windows) if _kept(config, derived, key)]
    known = candle_rows.known(connection, derived.name, {key for key, _ in members})
    touched = folded(members, known)
    fresh = touched.keys() - known.keys()
    over = candle_rows.due(connection, derived.name, as_of) if as_of > (derived.as_of or 0) else {}
    touched = {**over, **touched}
    for key, candle in touched.items():
        candle.closed = candle.closed or key.ends <= as_of
    candle_rows.put(connection, derived.name, touched)

    changes = _tell(connection, derived, run_id, touched, fresh, as_of)
    derived.as_of, derived.last_run = source.as_of, source.last_run
    forget.forget_steps(connection, derived, len(changes))
    forget.forget_candles(connection, derived, config.keep, len(changes))
    write.update_source(connection, derived)
    return Stretch(derived.name, derived.head - len(changes), derived.head, changes, [run_id])


def _tell(
    connection: sa.Connection,
    derived: SourceRow,
    run_id: str,
    touched: dict[CandleKey, Candle],
    fresh: AbstractSet[CandleKey],
    at: int,
) -> list[Change]:
    """Writes candles as entries of their source; one change a candle, however many of its ticks came."""
    steps: list[Step] = [
        (_observed(key, candle, at), "new" if key in fresh else "changed") for key, candle in touched.items()
    ]
    changes = changes_of(connection, derived.name, steps, derived.head, {key.text for key in touched.keys() - fresh})
    write.append(connection, derived.name, run_id, changes)
    write.put(connection, derived.name, "1", changes, {entry.key: entry for entry, _ in steps})
    ranking.keep(connection, derived, changes)
    derived.head += len(changes)
    derived.present += len(fresh)
    return changes


def _observed(key: CandleKey, candle: Candle, at: int) -> Observed:
    fields = candle.data(key)
    digest = hashlib.blake2b(msgspec.json.encode(fields), digest_size=16).digest()
    return Observed(key=key.text, topic=key.window, url=None, fields=fields, digest=digest, at=at)


def _ticks(config: Aggregate, steps: Sequence[Change], data: dict[str, dict[str, Any]]) -> Iterator[Tick]:
    """The ticks among a batch's changes: a new entry is one, and a changed one whose price or volume is another."""
    for step in steps:
        if step.kind not in ("new", "changed") or (step.was is not None and not _moved(config, step.was)):
            continue
        values = data[step.key]
        price = number(values.get(config.field))
        symbol = step.key if config.by is None else _symbol(values.get(config.by))
        if price is not None and symbol:
            volume = number(values.get(config.volume)) if config.volume else None
            yield Tick(symbol, (step.at, step.key), price, volume)


def _kept(config: Aggregate, derived: SourceRow, key: CandleKey) -> bool:
    """Whether a candle is still kept: one that was forgotten must not begin anew with a late tick."""
    return config.keep is None or derived.as_of is None or key.ends > derived.as_of - config.keep * 1000


def _symbol(value: Any) -> str | None:
    name = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return name if 0 < len(name) <= SYMBOL else None


def _moved(config: Aggregate, was: str) -> bool:
    altered = msgspec.json.decode(was)
    return config.field in altered or (config.volume is not None and config.volume in altered)
