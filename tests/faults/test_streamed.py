"""A short run of batches that are added to the stream once; `make faults` runs it for long."""

from pathlib import Path

from tests.faults import streamed
from tests.faults.scenarios import Scenario, short


@short(streamed)
def test_nothing_is_broken(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
