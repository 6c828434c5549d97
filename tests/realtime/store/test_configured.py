"""What is read of stored rows never raises, whatever an older contract let in."""

import pytest

from ingest_api.contract import SourceInfo
from realtime.store.configured import aggregate_in, info_in
from realtime.store.moments import iso
from realtime.store.standing import Vitals, info_of, stale_at, standing

OLD = [
    '{"name":"s","every":1e308}',
    '{"name":"s","stale_after":1e306}',
    '{"name":"s","next_run":"9999-12-31T23:59:59-14:00"}',
    '{"name":"s","aggregate":{"field":"p","windows":["1m","60s"]}}',
    "{",
    "5",
]


def vitals(info: str | None, as_of: int | None) -> Vitals:
    return Vitals("s", 0, 0, as_of, 0, None, None, None, None, info)


@pytest.mark.parametrize("told", OLD)
def test_a_configuration_that_does_not_fit_counts_as_not_said(told: str) -> None:
    assert info_in("s", told) == SourceInfo(name="s")
    assert standing(vitals(told, 0), info_of(vitals(told, 0)), 10**15).state == "fresh"


def test_so_does_an_aggregate() -> None:
    assert aggregate_in('{"field":"p","windows":["1m","60s"]}') is None
    assert aggregate_in('{"field":"p","windows":["1m"],"retention":1e308}') is None
    assert aggregate_in(None) is None


@pytest.mark.parametrize("at", [-(2**63), -62_135_596_800_001, -1, 0, 253_402_300_799_999, 2**63 - 1])
def test_every_number_is_a_moment(at: int) -> None:
    assert iso(at).endswith("Z")
    source = SourceInfo(name="s", stale_after=1e9)
    assert iso(stale_at(at, source) or 0)
    assert standing(vitals(None, at), source, 2**62).state in ("fresh", "stale")


def test_a_moment_is_written_to_the_millisecond() -> None:
    assert iso(1_795_332_662_120) == "2026-11-22T07:31:02.120Z"
    assert iso(-1) == "1969-12-31T23:59:59.999Z"
    assert iso(2**63 - 1) == "9999-12-31T23:59:59.000Z"
