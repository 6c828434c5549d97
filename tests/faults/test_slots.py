"""Promise 11: every slot that was announced is run, and run once, of several sources at a time."""

from collections import defaultdict
from datetime import datetime, timedelta

from tests.conftest import eventually
from tests.faults.configurations import SQLITE
from tests.faults.table import Row, record
from tests.scrapers.door import DoorServer, door
from tests.scrapers.rig import Rig, rig
from tests.scrapers.scheduling import Scheduler, ended, processes, started
from tests.scrapers.web import web

__all__ = ["door", "rig", "started", "web"]

OTHERS = ("two", "three", "four")
EVERY = timedelta(seconds=2)
RUNS = 4  # of each source


def test_each_announced_slot_is_run_once(rig: Rig, started: list[Scheduler]) -> None:
    every = f"{EVERY.seconds}s"
    more = "".join(f"  {name}: {{every: {every}, pace: 0, portal: shop}}\n" for name in OTHERS)
    rig.schedule(f"every: {every}", more=more)
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: len(ended(rig.door)) >= RUNS * (1 + len(OTHERS)))
    assert scheduler.stop() == 0
    faults: list[str] = []
    counted = 0
    for source, (slots, starts) in _told(rig.door).items():
        counted += len(starts) - 1
        # a run announces the slot after its own; the next run begins there
        for slot, start in zip(slots, starts[1:], strict=False):
            late = start - slot
            if not timedelta(seconds=-0.1) < late < EVERY:
                faults.append(f"{source}: the slot {slot:%T} was run {late.total_seconds():.1f} s later")
    left = processes(rig)
    record(Row("slots of several sources", SQLITE, 11, len(faults) + len(left), counted, "slots"), faults + left)


def _told(door: DoorServer) -> dict[str, tuple[list[datetime], list[datetime]]]:
    """source -> the slots that its runs announced, and when they began, run by run."""
    told: dict[str, tuple[list[datetime], list[datetime]]] = defaultdict(lambda: ([], []))
    announced: dict[str, datetime] = {}
    for got in door.got:
        if got.method == "PUT" and "next_run" in got.body:
            announced[got.body["name"]] = datetime.fromisoformat(got.body["next_run"])
        elif got.path == "/api/runs" and got.body["state"] == "running":
            slots, starts = told[got.body["source"]]
            slots.append(announced[got.body["source"]])
            starts.append(datetime.fromisoformat(got.body["started_at"]))
    return told
