"""Pages, selectors and code that would never end: refused at once or ended at the limit, and the neighbours go on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import eventually
from tests.faults.configurations import SQLITE
from tests.faults.table import Row, record
from tests.scrapers.rig import SCRAPER, Rig
from tests.scrapers.scheduling import Scheduler, ended, pids, processes
from tests.scrapers.web import html

EVIL = SCRAPER.replace('"shop"', '"evil"').replace(
    "page = visit()", 'page = visit()\n    __import__("re").match("(x+x+)+y", "x" * 5000)'
)  # one call of C, which hears no signal and lets no other thread run


@dataclass(frozen=True)
class Bomb:
    """A page, what is asked of it, how many seconds that may take, and what comes of it."""

    body: Callable[[], str]
    fault: str
    rows: str = "li"
    limit: int = 30


BOMBS = {
    "deep": Bomb(lambda: "<div>" * 100_000, "too_big"),
    "large": Bomb(lambda: "<p>" + "x" * 50_000_000, "too_big"),
    "attributes": Bomb(lambda: "<p " + " ".join(f"a{n}=1" for n in range(1_000_000)) + ">", "too_big"),
    "tags": Bomb(lambda: "<b>x</b>" * 1_000_000, "too_big"),
    "entities": Bomb(lambda: '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aa">]><rss>&a;</rss>', "too_big"),
    # each <div> has 240 around it, each <p> 20,000 beside it; the second is left to BeautifulSoup
    "ancestors": Bomb(lambda: f"{'<div>' * 240}<b>x</b>", "selector", "i div div div div div div b"),
    "siblings": Bomb(lambda: "<p>x" * 20_000, "selector", "a ~ p ~ p ~ p:has(~ i)"),
    # all that is let in; BeautifulSoup takes seconds to make a tree of it, and only it knows this selector
    "heavy": Bomb(lambda: "<b>x</b>" * 190_000, "hung", "b:-soup-contains(y)", limit=1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_harms_no_neighbour(name: str, rig: Rig, started: list[Scheduler]) -> None:
    bomb = BOMBS[name]
    rig.web.pages["/bomb"] = html(bomb.body())
    fields = f"{{rows: '{bomb.rows}', key: {{attribute: id}}, fields: {{name: b}}}}"
    with_neighbour(rig, name, "every: 1h", f"limit: {bomb.limit}s", f"start: {rig.web.url}/bomb", f"fields: {fields}")
    started.append(Scheduler(rig))
    [worker] = eventually(lambda: pids(rig, f"scrapers.worker {name}"), what="the worker is there")
    faults: list[str] = []
    try:
        end = eventually(lambda: runs(rig, name), what="its run ends")[0]
        if (end["state"], end["fault"]["code"]) != ("failed", bomb.fault):
            faults.append(f"it ended as {end}")
        eventually(lambda: worker not in pids(rig), what="its process is gone")
        neighbour_goes_on(rig)
    except (pytest.fail.Exception, AssertionError) as error:
        faults.append(str(error))
    record(Row("bombs of HTML", SQLITE, 12, int(bool(faults)), 1, "pages"), faults)


def test_code_that_never_ends_is_ended_at_its_limit_and_holds_nobody_up(rig: Rig, started: list[Scheduler]) -> None:
    rig.scraper(EVIL, name="evil")
    with_neighbour(rig, "evil", "every: 1s", "limit: 3s")
    scheduler = Scheduler(rig, "--grace", "0.3")
    started.append(scheduler)
    [worker] = eventually(lambda: pids(rig, "scrapers.worker evil"), what="the worker is there")
    end = eventually(lambda: runs(rig, "evil"))[0]
    assert (end["state"], end["fault"]["code"]) == ("failed", "hung")
    assert "limit of 3 s" in end["fault"]["message"]
    eventually(lambda: worker not in pids(rig), what="its process is gone")
    eventually(
        lambda: any(
            evil["started_at"] < run["started_at"] and run["finished_at"] < evil["finished_at"]
            for evil in runs(rig, "evil")
            for run in runs(rig, "shop")
        ),
        what="a run of the neighbour begins and ends while this one hangs",
    )
    neighbour_goes_on(rig)
    assert scheduler.stop() == 0
    assert processes(rig) == []


def with_neighbour(rig: Rig, name: str, *settings: str) -> None:
    """A source beside the rig's own, which runs every second."""
    lines = "".join(f"    {setting}\n" for setting in ("pace: 0", *settings))
    rig.schedule("every: 1s", more=f"  {name}:\n{lines}")


def runs(rig: Rig, source: str) -> list[dict[str, Any]]:
    return [report for report in ended(rig.door) if report["source"] == source]


def neighbour_goes_on(rig: Rig) -> None:
    so_far = len(runs(rig, "shop"))
    eventually(lambda: len(runs(rig, "shop")) >= so_far + 2, what="the neighbour goes on")
    assert {report["state"] for report in runs(rig, "shop")} == {"complete"}
