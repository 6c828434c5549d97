"""Promise 11 while the scrapers' clock is a day off: the next slots are as far away as ever."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scrapers.backoff import Backoff
from scrapers.deliver.spool import Spool
from tests.conftest import ROOT, eventually
from tests.faults.clock import DAY
from tests.faults.clock import NAME as SCENARIO
from tests.faults.configurations import SQLITE
from tests.faults.disk import Disk
from tests.faults.table import Row, record
from tests.scrapers.door import door
from tests.scrapers.rig import Rig, rig
from tests.scrapers.scheduling import Scheduler, ended, started
from tests.scrapers.web import web

__all__ = ["door", "rig", "started", "web"]

EVERY = 1  # seconds
RUNS = 3  # at each time
LATE = 10.0  # seconds for so many runs, beyond their slots
PAST = """
from datetime import UTC, datetime
from pathlib import Path
from scrapers.backoff import Backoff
from scrapers.config import Source
from scrapers.deliver.spool import Spool
from scrapers.errors import SelectorFailed, fault
from scrapers.orders import Done
var = Path.cwd()
Spool(var, "shop").folder.mkdir(parents=True)
Spool(var, "shop").hold(60, "http://server")
failed = Done(exit=1, state="failed", fault=fault(SelectorFailed()))
Backoff(var).ended(Source(name="shop", every=10), failed, datetime.now(UTC))
"""


def test_no_slot_is_left_out_or_run_twice(rig: Rig, started: list[Scheduler]) -> None:
    disk = Disk(rig.folder)
    rig.environ |= disk.environment
    rig.schedule(f"every: {EVERY}s")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: ended(rig.door), what="the first run")
    faults, counted = [], 0
    for seconds in (-DAY, 0, DAY, 0):
        disk.shift(seconds)
        due, began = len(ended(rig.door)) + RUNS, time.monotonic()
        eventually(lambda due=due: len(ended(rig.door)) >= due, what=f"runs with the clock at {seconds}")
        took = time.monotonic() - began
        counted += RUNS
        if not (RUNS - 2) * EVERY < took < RUNS * EVERY + LATE:
            faults.append(f"{RUNS} runs took {took:.1f} s after the clock was set to {seconds}")
    assert scheduler.stop() == 0
    record(Row(SCENARIO, SQLITE, 11, len(faults), counted, "slots"), faults)


@pytest.mark.parametrize(("ahead", "waits"), [(0, True), (DAY, False)])
def test_what_was_to_be_waited_for_by_another_time_is_not(tmp_path: Path, ahead: int, waits: bool) -> None:
    disk = Disk(tmp_path)
    disk.shift(ahead)
    environment = {**os.environ, **disk.environment, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", PAST], cwd=disk.folder, env=environment, check=True)
    assert (Spool(disk.folder, "shop").held("http://server") > 0) == waits
    assert Backoff(disk.folder).rests("shop", datetime.now(UTC)) == waits
