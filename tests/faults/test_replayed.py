"""A short run of batches that come again."""

from pathlib import Path

from tests.faults import replayed
from tests.faults.scenarios import Scenario, short


@short(replayed)
def test_what_comes_again_changes_nothing(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)
