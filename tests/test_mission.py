"""Every test and benchmark that docs/mission.md names is there."""

import re

from tests.conftest import ROOT


def test_what_the_mission_table_names_exists() -> None:
    table = (ROOT / "docs/mission.md").read_text()
    named = re.findall(r"`(tests/[\w./]+)`", table)
    assert len(named) >= 12
    assert [name for name in named if not (ROOT / name).exists()] == []
    modules = re.findall(r"`python -m ([\w.]+)`", table)
    assert [name for name in modules if not (ROOT / f"{name.replace('.', '/')}.py").exists()] == []
