"""When sources run: Monday is Monday, the nights of a clock change, jitter that loses no slot."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrapers.trigger import Cron, Every, spacing

BERLIN = ZoneInfo("Europe/Berlin")
SPRING = datetime(2026, 3, 29, tzinfo=BERLIN)  # 02:00 becomes 03:00
AUTUMN = datetime(2026, 10, 25, tzinfo=BERLIN)  # 03:00 becomes 02:00


def night(line: str, start: datetime, hours: int = 6) -> list[str]:
    """The starts of the first `hours` of a day, as APScheduler asks for them: each from the one before."""
    trigger = Cron("vendor_x", line, "Europe/Berlin")
    found, end = [], start.astimezone(UTC) + timedelta(hours=hours)
    at = trigger.get_next_fire_time(None, start)
    while at and at < end:
        found.append(at.astimezone(BERLIN).strftime("%H:%M%z")[:-2])
        at = trigger.get_next_fire_time(at, at)
    return found


def test_monday_is_monday() -> None:
    trigger = Cron("vendor_x", "0 9 * * 1", "Europe/Berlin")
    at = trigger.get_next_fire_time(None, datetime(2026, 11, 18, tzinfo=UTC))
    assert at is not None
    assert at.astimezone(BERLIN).strftime("%A %H:%M") == "Monday 09:00"


@pytest.mark.parametrize(
    ("line", "spring", "autumn"),
    [
        ("30 2 * * *", ["03:00+02"], ["02:30+02"]),
        ("*/30 2 * * *", ["03:00+02"], ["02:00+02", "02:30+02"]),
        ("0 */2 * * *", ["00:00+01", "03:00+02", "04:00+02", "06:00+02"], ["00:00+02", "02:00+02", "04:00+01"]),
        ("15 2,4 * * *", ["03:00+02", "04:15+02"], ["02:15+02", "04:15+01"]),
        ("@daily", ["00:00+01"], ["00:00+02"]),
    ],
)
def test_a_time_of_day_comes_once_on_the_nights_of_a_clock_change(
    line: str, spring: list[str], autumn: list[str]
) -> None:
    assert night(line, SPRING) == spring
    assert night(line, AUTUMN) == autumn


@pytest.mark.parametrize("start", [SPRING, AUTUMN])
@pytest.mark.parametrize(("line", "minutes"), [("*/15 * * * *", 15), ("0 * * * *", 60)])
def test_what_runs_every_hour_runs_as_time_flows(start: datetime, line: str, minutes: int) -> None:
    slots = list(islice(Cron("vendor_x", line, "Europe/Berlin").slots(start), 40))
    assert {later - sooner for sooner, later in pairwise(slots)} == {timedelta(minutes=minutes)}


@settings(max_examples=40, deadline=None)
@given(
    jitter=st.floats(0, 7200),
    line=st.sampled_from(["*/5 * * * *", "7 2 * * *", "*/20 1-3 * * SUN", "0 9 * * 1", "*/10 * * * * *"]),
    start=st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31), timezones=st.just(UTC)),
)
def test_jitter_delays_and_loses_no_slot(jitter: float, line: str, start: datetime) -> None:
    slots = list(islice(Cron("x", line, "Europe/Berlin").slots(start), 12))
    late = Cron("x", line, "Europe/Berlin", jitter=jitter)
    starts, at = [], slots[0]
    while at < slots[-1]:
        starts.append(at)
        found = late.get_next_fire_time(at, at)
        assert found is not None
        at = found
    for slot, following in list(pairwise(slots))[1:]:
        [began] = [each for each in starts if slot <= each < following]
        assert (began - slot).total_seconds() <= jitter


def test_an_interval_keeps_its_beat_over_a_pause() -> None:
    anchor = datetime(2026, 11, 22, 8, 0, 7, tzinfo=UTC)
    trigger = Every("vendor_x", 30, anchor)
    assert trigger.get_next_fire_time(None, anchor) == anchor
    assert trigger.get_next_fire_time(anchor, anchor) == anchor + timedelta(seconds=30)
    assert trigger.get_next_fire_time(None, anchor + timedelta(seconds=95)) == anchor + timedelta(seconds=120)


def test_jitter_is_the_same_whenever_it_is_asked_and_not_the_same_for_all() -> None:
    anchor = datetime(2026, 11, 22, tzinfo=UTC)
    one, again, other = (Every(name, 30, anchor, jitter=10) for name in ("a", "a", "b"))
    first = one.get_next_fire_time(anchor, anchor)
    assert first == again.get_next_fire_time(anchor, anchor) != other.get_next_fire_time(anchor, anchor)


@pytest.mark.parametrize("day", range(7))
@pytest.mark.parametrize("cron", ["*/5 8-18 * * MON-FRI", "* 8-18 * * MON-FRI"])
def test_a_weekend_is_a_pause_whenever_it_is_asked_for(cron: str, day: int) -> None:
    for hour in (0, 12, 23):
        at = datetime(2026, 11, 23 + day, hour, 10, tzinfo=UTC)
        found = spacing(None, cron, "Europe/Berlin", at)
        assert found.usual == (300 if "/" in cron else 60)
        assert 2 * 86400 < (found.longest or 0) < 3 * 86400


def test_spacing() -> None:
    assert (spacing(None, "0 0 29 2 *", "UTC").usual or 0) > 365 * 86400
    assert spacing(None, None, "UTC").usual is None
