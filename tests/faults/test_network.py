"""A short run of the faults of networks; `make faults` runs them for long."""

from pathlib import Path

from tests.faults import network
from tests.faults.scenarios import Scenario, short


@short(network)
def test_nothing_is_broken(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
