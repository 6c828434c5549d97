"""A short run of a Redis that is promoted; `make faults` runs it for long."""

from pathlib import Path

from tests.faults import redis_promotion
from tests.faults.scenarios import Scenario, short


@short(redis_promotion)
def test_nothing_is_broken(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
