"""What a scheduler makes up for after it was away."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scrapers.config import Source
from scrapers.config.values import Seconds
from scrapers.timing import Starts, first, trigger

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)


def start(last: datetime | None, **settings: Any) -> datetime | None:
    source = Source(name="shop", **settings)
    slots = trigger(source, last, NOW)
    assert slots is not None
    return first(source, slots, last, NOW)


@pytest.mark.parametrize(
    ("ago", "ahead"),
    [(None, 0), (10, 20), (29, 1), (45, 0), (3600, 0)],
)
def test_an_interval_goes_on_from_its_last_start(ago: int | None, ahead: int) -> None:
    last = None if ago is None else NOW - timedelta(seconds=ago)
    assert start(last, every=Seconds(30)) == NOW + timedelta(seconds=ahead)


def test_a_missed_slot_is_made_up_for_once() -> None:
    hourly = {"cron": "0 * * * *"}
    at_one = NOW.replace(hour=13, minute=0, second=0)
    assert start(None, **hourly) == at_one
    assert start(NOW - timedelta(hours=5), **hourly) == NOW
    assert start(NOW - timedelta(seconds=10), **hourly) == at_one


def test_a_slot_too_long_ago_is_left_out() -> None:
    at_one = NOW.replace(hour=13, minute=0, second=0)
    for misfire, expected in ((20, at_one), (40, NOW)):
        assert start(NOW - timedelta(hours=5), cron="0 * * * *", misfire=Seconds(misfire)) == expected


def test_a_last_start_in_the_future_is_a_clock_that_was_set(tmp_path: Path) -> None:
    assert start(NOW + timedelta(days=400), every=Seconds(30)) == NOW + timedelta(seconds=30)
    starts = Starts(tmp_path)
    assert starts.last("shop") is None
    starts.note("shop", NOW)
    assert starts.last("shop") == NOW
    (tmp_path / "starts" / "shop").write_text("")
    assert starts.last("shop") is None
