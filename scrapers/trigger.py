"""When a source runs: cron by cronsim (Monday is Monday, the nights of a clock change right) or a fixed interval,
each slot delayed by its own share of the jitter.

A slot's delay depends on the slot alone, so asking twice gives the same answer, and is shorter than the way to the
next slot, so that no slot is overtaken or lost.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from cronsim import CronSim

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * SUN",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
_AHEAD = timedelta(days=8)  # of the slots looked at for the spacing of a cron line: a week, and a change of the clock


@dataclass(frozen=True)
class Spacing:
    """Seconds between runs, the least and the most; None for a source that runs by hand."""

    usual: float | None = None
    longest: float | None = None


class Trigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """The slots of one source, as APScheduler asks for them."""

    def __init__(self, source: str, *, jitter: float = 0) -> None:
        self.source = source
        self.jitter = timedelta(seconds=jitter)

    def slots(self, after: datetime) -> Iterator[datetime]:
        """The slots later than `after`, without end."""
        raise NotImplementedError

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first start later than the previous one; without a previous one, the first that is not over."""
        after = previous_fire_time or now - timedelta(microseconds=1)
        starts = self._starts(after - self.jitter - timedelta(seconds=1))
        return next((start for start in starts if start > after), None)

    def _starts(self, after: datetime) -> Iterator[datetime]:
        for slot, following in pairwise(self.slots(after)):
            yield slot + self._delay(slot, min(self.jitter, following - slot))

    def _delay(self, slot: datetime, most: timedelta) -> timedelta:
        if not most:
            return most
        name = f"{self.source} {slot.astimezone(UTC).isoformat()}".encode()
        share = int.from_bytes(hashlib.blake2b(name, digest_size=4).digest(), "big") / 2**32
        return most * share


class Cron(Trigger):
    """The slots of a cron line in its time zone."""

    def __init__(self, source: str, line: str, timezone: str, *, jitter: float = 0) -> None:
        super().__init__(source, jitter=jitter)
        self.line = local(MACROS.get(line.strip().lower(), line))
        self.zone = ZoneInfo(timezone)

    def slots(self, after: datetime) -> Iterator[datetime]:
        there = after.astimezone(self.zone)
        return (slot.astimezone(UTC) for slot in CronSim(self.line, there) if slot > after)


class Every(Trigger):
    """A slot each `seconds`, counted from `anchor`."""

    def __init__(self, source: str, seconds: float, anchor: datetime, *, jitter: float = 0) -> None:
        super().__init__(source, jitter=jitter)
        self.step = timedelta(seconds=seconds)
        self.anchor = anchor.astimezone(UTC)

    def slots(self, after: datetime) -> Iterator[datetime]:
        number = max(0, (after - self.anchor) // self.step + 1)
        while True:
            yield self.anchor + number * self.step
            number += 1


def local(line: str) -> str:
    """The cron line so written that cronsim reads it by the clock on the wall unless it runs every hour.

    cronsim takes a star in the minute or hour for "as time flows" and would run `*/20 2 * * *` twice in the night
    that has two o'clock twice, and never in the night that has none.
    """
    parts = line.split()
    if len(parts) != 5 or parts[1] in ("*", "*/1"):
        return line
    for index, top in ((0, 59), (1, 23)):
        parts[index] = re.sub(r"^\*", f"0-{top}", parts[index])
    return " ".join(parts)


def spacing(every: float | None, cron: str | None, timezone: str, now: datetime | None = None) -> Spacing:
    """How far apart a source's runs are, its cron line looked at for the week that follows `now`."""
    if every:
        return Spacing(usual=float(every), longest=float(every))
    if not cron:
        return Spacing()
    now = now or datetime.now(UTC)
    gaps: list[float] = []
    for sooner, later in pairwise(Cron("", cron, timezone).slots(now)):
        gaps.append((later - sooner).total_seconds())
        if later >= now + _AHEAD:  # with the pause that begins in this week and ends after it
            break
    return Spacing(usual=min(gaps), longest=max(gaps)) if gaps else Spacing()
