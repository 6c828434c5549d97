"""A short run of the clock that is a day off, and of a promotion."""

from pathlib import Path

from tests.faults import clock, promotion
from tests.faults.scenarios import Scenario, short


@short(clock)
def test_the_clock_is_a_day_off(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)


@short(promotion)
def test_a_standby_is_promoted(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
