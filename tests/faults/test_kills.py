"""A short run of the kills; `make faults` runs them for long."""

from pathlib import Path

from tests.faults import kills
from tests.faults.scenarios import Scenario, short


@short(kills)
def test_killed(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
