"""Moments: datetimes on the wire, whole milliseconds since 1970 UTC in the store."""

import time
from datetime import UTC, datetime

from ingest_api.contract.entry import CLOCK_SKEW

SKEW = int(CLOCK_SKEW.total_seconds() * 1000)  # milliseconds
FIRST, LAST = -62_135_596_800_000, 253_402_300_799_000  # milliseconds: the years 1 to 9999


def now() -> int:
    return time.time_ns() // 1_000_000


def millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def ahead(at: int, now: int) -> bool:
    """Whether a stored moment has not come yet: a clock that was ahead told it, and nothing is late beside it."""
    return at > now + SKEW


def iso(at: int) -> str:
    """`2026-11-22T07:31:02.120Z`; of what no calendar has, the nearest moment that it has. Never raises."""
    at = min(max(at, FIRST), LAST)
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def iso_or_none(at: int | None) -> str | None:
    return None if at is None else iso(at)
