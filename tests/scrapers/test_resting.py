"""The scheduler before portals that do not want us, or are not what they were."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.demo.server import PASSWORD, USER
from tests.conftest import eventually
from tests.demo_fixture import Demo
from tests.scrapers.door import DoorServer
from tests.scrapers.rig import SCRAPER, Rig
from tests.scrapers.scheduling import Scheduler, ended

VENDOR_X = "{every: 1s, pace: 0, start: %s/vendor-x/prices}"
VENDOR_Y = """
    every: 1s
    pace: 0
    start: %s/vendor-y/stock
    fetch: browser
    wait: "#stock:not([hidden])"
    login:
      at: /vendor-y/login
      fields: {"input[name=user]": DEALER, "input[name=password]": PASSWORD}
      submit: "#login button"
      until: "#stock"
"""


def watch(rig: Rig, name: str, source: str) -> None:
    rig.schedules.write_text(f"sources:\n  {name}: {source}\n")


def faults(door: DoorServer) -> list[str | None]:
    return [report["fault"]["code"] if "fault" in report else None for report in ended(door)]


def announced(door: DoorServer) -> Any:
    return [got.body for got in door.got if got.method == "PUT"][-1].get("next_run")


def rests(scheduler: Scheduler, source: str, slots: int = 2) -> None:
    """Waits until so many slots were let pass."""
    eventually(lambda: scheduler.measured("slots_total", source=source, outcome="rested") >= slots)


def test_a_portal_that_refuses_us_sees_two_tries_until_a_run_by_hand_is_let_in(
    rig: Rig, started: list[Scheduler]
) -> None:
    whole = rig.web.pages["/list"]
    rig.web.pages["/list"] = lambda request: request.send(b"<p>no", 403)
    rig.schedule("every: 1s")
    first = Scheduler(rig)
    started.append(first)
    rests(first, "shop")
    assert faults(rig.door) == ["refused", "refused"]
    assert first.measured("failed_tries", source="shop") == 2
    assert 3000 < first.measured("rest_seconds", source="shop") <= 3600
    [told] = first.says("it rests, since asking again would not mend this")
    assert (told["source"], told["tries"], told["fault"]) == ("shop", 2, "refused")
    second_try = datetime.fromisoformat(ended(rig.door)[-1]["started_at"])
    in_an_hour = second_try + timedelta(minutes=59, seconds=50)
    eventually(lambda: datetime.fromisoformat(announced(rig.door)) > in_an_hour)
    assert first.stop() == 0

    listed = rig.run("--list", module="scrapers.schedule")
    assert "2 tries failed, refused" in " ".join(listed.stdout.split())

    second = Scheduler(rig)
    started.append(second)
    rests(second, "shop")
    assert len(faults(rig.door)) == 2
    assert len(rig.web.log) == 2
    rig.web.pages["/list"] = whole
    assert rig.run("shop").returncode == 0
    eventually(lambda: faults(rig.door)[2:] == [None] * 3, what="after the run by hand the schedule goes on")


def test_a_wrong_password_is_sent_twice_and_a_right_one_at_once(rig: Rig, demo: Demo, started: list[Scheduler]) -> None:
    rig.environ.update(DEALER=USER, PASSWORD="wrong")
    watch(rig, "vendor_y", VENDOR_Y % demo.url)
    first = Scheduler(rig)
    started.append(first)
    eventually(lambda: len(ended(rig.door)) == 2, 150)
    rests(first, "vendor_y")
    assert faults(rig.door) == ["login_wall", "login_wall"]
    assert first.measured("browsers", fetch="browser") == 0
    assert first.stop() == 0
    rig.environ["PASSWORD"] = PASSWORD
    second = Scheduler(rig)
    started.append(second)
    eventually(lambda: None in faults(rig.door), what="the right password lets us in")
    eventually(lambda: second.measured("browsers", fetch="browser") == 1, what="it stays warm")
    assert faults(rig.door)[:3] == ["login_wall", "login_wall", None]


@pytest.mark.parametrize(("mode", "fault"), [("redesign", "selector"), ("login", "login_wall")])
def test_a_portal_that_is_not_what_it_was_is_looked_at_less_often_and_found_when_it_is_mended(
    rig: Rig, demo: Demo, started: list[Scheduler], mode: str, fault: str
) -> None:
    demo.mode("vendor_x", mode)
    watch(rig, "vendor_x", VENDOR_X % demo.url)
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: len(ended(rig.door)) == 2)
    demo.mode("vendor_x", "normal")
    eventually(lambda: len(ended(rig.door)) == 5)
    assert faults(rig.door)[:5] == [fault, fault, None, None, None]
    times = [datetime.fromisoformat(report["started_at"]) for report in ended(rig.door)]
    assert (times[1] - times[0]).total_seconds() > 3.9
    assert (times[2] - times[1]).total_seconds() > 7.9
    assert scheduler.measured("failed_tries", source="vendor_x") == 0


def test_a_changed_scraper_ends_the_rest(rig: Rig, started: list[Scheduler]) -> None:
    rig.schedule("every: 1s")
    rig.scraper(SCRAPER.replace("visit()", 'visit("/private")'))
    rig.web.pages["/private"] = lambda request: request.send(b"<p>no", 403)
    scheduler = Scheduler(rig)
    started.append(scheduler)
    rests(scheduler, "shop")
    assert faults(rig.door) == ["refused", "refused"]
    rig.scraper()
    eventually(lambda: faults(rig.door)[2:] == [None])
    [told] = scheduler.says("its settings, credentials or scraper have changed, its rest is over")
    assert told["source"] == "shop"


@pytest.mark.parametrize("named", ["before it is there", "when it is there"])
def test_a_new_folder_of_portals_is_followed(rig: Rig, started: list[Scheduler], named: str) -> None:
    folder = rig.folder / "later"
    rig.schedule("every: 1h")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: ended(rig.door))
    if named == "when it is there":
        _other(rig, folder)
    text = rig.schedules.read_text().replace("[portals]", "[portals, later]")
    rig.schedules.write_text(text + "  other: {every: 1s, pace: 0}\n")
    if named == "before it is there":
        eventually(lambda: scheduler.says("source scheduled")[1:])
        _other(rig, folder)
    eventually(lambda: any(batch["source"] == "other" for batch in rig.door.batches))
    before = len(scheduler.says("portals changed, workers are renewed"))
    _other(rig, folder, "changed")
    eventually(lambda: len(scheduler.says("portals changed, workers are renewed")) > before)
    eventually(lambda: rig.door.batches[-1]["entries"][0].get("topic") == "changed")


def _other(rig: Rig, folder: Path, topic: str = "tools") -> None:
    folder.mkdir(exist_ok=True)
    text = SCRAPER.replace('"shop"', '"other"').replace("tools", topic)
    (folder / "other.py").write_text(text.format(url=rig.web.url))
