"""A short run of power cuts and of disks that ail."""

import os
import subprocess
import sys
from pathlib import Path

from scrapers.deliver.spool import Request
from tests.conftest import ROOT
from tests.faults import ailing, power, spooled
from tests.faults.disk import Disk
from tests.faults.scenarios import Scenario, short


@short(power)
def test_power_lost(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)


@short(spooled)
def test_faults_at_the_spool(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 0, tmp_path)


@short(ailing)
def test_a_disk_ails(scenario: Scenario, configuration: str, tmp_path: Path) -> None:
    scenario(configuration, 1, tmp_path)


def test_what_the_server_refused_survives_with_its_reason(tmp_path: Path) -> None:
    disk = Disk(tmp_path)
    disk.sync()
    program = """
from pathlib import Path
from scrapers.deliver.spool import Request, Spool
spool = Spool(Path.cwd() / "var", "vendor_x")
spool.reject(spool.put(Request("batch", "POST", "/api/entries", "run-1", b"poison")), "why")
spool.put(Request("batch", "POST", "/api/entries", "run-1", b"the next"))
"""
    environment = {**os.environ, **disk.environment, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", program], cwd=disk.folder, env=environment, check=True)
    disk.lose_power()
    refused, answer = sorted((disk.folder / "var" / "rejected" / "vendor_x").iterdir())
    assert Request.unpacked(refused.read_bytes()).body == b"poison"
    assert answer.read_text() == "why"
