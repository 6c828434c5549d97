"""Whether a source can be trusted now, and why not: pure, from its row and the time."""

from typing import Literal

import msgspec

from ingest_api.contract import RunFault, SourceInfo
from realtime.store.configured import info_in
from realtime.store.moments import ahead, iso

State = Literal["waiting", "fresh", "stale", "suspect", "failing"]

PASSING = 3  # failed runs in a row that make a source failing, when each might have been mended by another try
STALE_RUNS = 3  # missed runs that make it stale, when nobody said after how long
STALE_LEAST = 20.0  # seconds; no source is stale sooner


class Vitals(msgspec.Struct, frozen=True):
    """What a source's trust is told from. Times are milliseconds; `info` and `fault` are JSON text."""

    name: str
    head: int
    floor: int
    as_of: int | None
    failures: int
    failing_since: int | None
    fault: str | None
    hold: int | None
    last_run: str | None
    info: str | None


class Standing(msgspec.Struct, frozen=True):
    """A source's state, since when it is in doubt (milliseconds), and a sentence that says why."""

    state: State
    since: int | None = None
    reason: str | None = None


def info_of(vitals: Vitals) -> SourceInfo:
    """The source's configuration, or the defaults of a source that nobody announced."""
    return info_in(vitals.name, vitals.info)


def standing(vitals: Vitals, info: SourceInfo, now: int) -> Standing:
    """The worst that is true: failing, suspect, stale, waiting, else fresh."""
    fault = msgspec.json.decode(vitals.fault, type=RunFault) if vitals.fault else None
    if vitals.failures >= PASSING or (vitals.failures and fault and fault.lasting):
        runs = "the last run" if vitals.failures == 1 else f"{vitals.failures} runs in a row"
        return Standing(
            "failing", vitals.failing_since, f"{runs} failed: {fault.message if fault else 'no reason given'}"
        )
    if vitals.hold is not None:
        return Standing("suspect", vitals.as_of, "a run would remove more entries than this source allows; it is held")
    if vitals.as_of is None:
        return Standing("waiting", None, "no complete run yet")
    due = stale_at(vitals.as_of, info)
    if due is not None and ahead(vitals.as_of, now):
        return Standing(
            "stale", None, f"its last complete run, {iso(vitals.as_of)}, was timed by a clock that was ahead"
        )
    if due is not None and now > due:
        every = f", one is due {info.schedule}" if info.schedule else ""
        return Standing("stale", due, f"no complete run since {iso(vitals.as_of)}{every}")
    return Standing("fresh")


def stale_at(as_of: int, info: SourceInfo) -> int | None:
    """When (milliseconds) a source that was complete as of `as_of` becomes stale; None when no run is ever due."""
    if info.stale_after:
        return as_of + int(info.stale_after * 1000)
    if info.every:
        return as_of + int(max(STALE_RUNS * info.every, STALE_LEAST) * 1000)
    return None
