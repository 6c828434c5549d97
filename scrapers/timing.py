"""When a source runs next, also over a restart: what was due in the meantime is made up for, once."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scrapers.backoff import Rest
from scrapers.config import Source
from scrapers.trigger import Cron, Every, Trigger

SET = 5.0  # seconds between two looks at the clock by which it is taken to have been set


class WallClock:
    """Notices when the clock was set, or the machine slept: it then parts from the one that only counts."""

    def __init__(self) -> None:
        self._lead = self._now()

    def was_set(self) -> bool:
        """Since it was asked last."""
        before, self._lead = self._lead, self._now()
        return abs(self._lead - before) > SET

    @staticmethod
    def _now() -> float:
        return time.time() - time.monotonic()


class Starts:
    """When each source last started by its schedule, on disk."""

    def __init__(self, var: Path) -> None:
        self._folder = var / "starts"

    def last(self, source: str) -> datetime | None:
        try:
            return datetime.fromisoformat((self._folder / source).read_text()).astimezone(UTC)
        except (FileNotFoundError, ValueError):
            return None

    def note(self, source: str, at: datetime) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        half = self._folder / f".{source}.half"
        half.write_text(at.isoformat())
        half.replace(self._folder / source)


def trigger(source: Source, last: datetime | None, now: datetime) -> Trigger | None:
    """The source's slots; None for one that runs by hand. An interval is counted from the last start."""
    if source.every:
        return Every(source.name, source.every, min(last or now, now), jitter=source.jitter)
    if source.cron:
        return Cron(source.name, source.cron, source.timezone, jitter=source.jitter)
    return None


def first(source: Source, slots: Trigger, last: datetime | None, now: datetime) -> datetime | None:
    """The first start of a scheduler that begins `now`: a slot missed since the last start is made up for at once,
    unless it is older than `misfire`."""
    ahead = slots.get_next_fire_time(None, now)
    if last is None:
        return ahead
    due = slots.get_next_fire_time(min(last, now), now)
    if due is None or due >= now:
        return due
    newest = _newest(slots, due, now)
    in_time = source.misfire is None or now - newest <= timedelta(seconds=source.misfire)
    return now if in_time else ahead


def rested(start: datetime | None, slots: Trigger | None, rest: Rest | None) -> datetime | None:
    """The first slot from `start` on that does not fall into the rest."""
    if not (start and slots and rest) or not rest.left(start):
        return start
    return slots.get_next_fire_time(rest.until - timedelta(microseconds=1), rest.until)


def _newest(slots: Trigger, due: datetime, now: datetime) -> datetime:
    """The last slot before `now`, from `due` on; what is looked at is bounded."""
    for _ in range(10_000):
        following = slots.get_next_fire_time(due, now)
        if following is None or following > now:
            break
        due = following
    return due
