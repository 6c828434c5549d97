"""Token buckets, against the clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.buckets import Buckets, Rate


def test_a_burst_and_then_the_rate() -> None:
    buckets = Buckets({"join": Rate(2, 3)}, Rate(1, 1))
    assert [buckets.take("a", "join", 100.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("a", "join", 100.4) == pytest.approx(0.1)
    assert buckets.take("a", "join", 100.5) == 0
    assert buckets.take("a", "join", 100.5) == 0.5


def test_each_has_its_own_and_unknown_kinds_share_one() -> None:
    buckets = Buckets({"join": Rate(1, 1)}, Rate(1, 1))
    assert buckets.take("a", "join", 0) == 0
    assert buckets.take("b", "join", 0) == 0
    assert buckets.take("a", "one", 0) == 0
    assert buckets.take("a", "another", 0) == 1


def test_a_full_bucket_is_forgotten() -> None:
    buckets = Buckets({}, Rate(1, 2))
    for owner in range(1000):
        buckets.take(owner, "x", 0)
    buckets.prune(0.5)
    assert len(buckets) == 1000
    buckets.prune(1.0)
    assert len(buckets) == 0


@given(st.lists(st.floats(0, 1), max_size=200))
def test_never_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    buckets, now, taken = Buckets({}, Rate(3, 5)), 0.0, 0
    for pause in pauses:
        now += pause
        taken += buckets.take("a", "x", now) == 0
    assert taken <= 5 + 3 * now + 1e-6
