"""Durations and shares, as people write them."""

import pytest

from scrapers.config.values import Percent, Seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("5m", 300), ("1h30m", 5400), ("2d", 172800), ("250ms", 0.25), (7, 7), ("0", 0)]
)
def test_durations(text: object, seconds: float) -> None:
    assert Seconds.read(text) == seconds
    assert Seconds.read(str(Seconds.read(text))) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1 week", "1e9", True, None, "nan"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        Seconds.read(text)


def test_shares() -> None:
    assert [Percent.read(text) for text in ("50%", "0.5", 0, "100 %")] == [0.5, 0.5, 0, 1]
    for text in ("150%", "half", True, 2, "-1%"):
        with pytest.raises(ValueError, match="write"):
            Percent.read(text)
