"""A short run of a browser on the page; `make faults` runs it for long."""

from pathlib import Path

from tests.faults import browser
from tests.faults.scenarios import Scenario, short


@short(browser)
def test_nothing_is_broken(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
