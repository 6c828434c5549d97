"""`python -m scrapers.schedule`: one run at a time, hung ones ended, reload, a clean stop that leaves no process."""

import os
import signal
import threading

from tests.conftest import eventually, free_port
from tests.scrapers.door import Answer, DoorServer
from tests.scrapers.rig import SCRAPER, Rig
from tests.scrapers.scheduling import Scheduler, ended, pids, processes
from tests.scrapers.web import Request, html

HANGING = SCRAPER.replace("page = visit()", 'page = visit()\n    while page.text("h1") == "hang": pass')
CRASHING = SCRAPER.replace(
    "page = visit()", 'page = visit()\n    page.text("h1") == "crash" and __import__("os")._exit(7)'
)

HANG = f"<title>Shop</title><h1>hang</h1><p>{'words ' * 30}"


def test_it_runs_announces_and_stops_cleanly(rig: Rig, started: list[Scheduler]) -> None:
    rig.schedule("every: 1s", "jitter: 100ms")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: len(ended(rig.door)) >= 3)
    assert {report["state"] for report in ended(rig.door)} == {"complete"}
    first, *later = [got.body for got in rig.door.got if got.method == "PUT"]
    assert first["schedule"] == "every 1s"
    assert "next_run" in first
    assert all(each["next_run"] > first["next_run"] for each in later)
    refused = rig.run(module="scrapers.schedule")
    assert refused.returncode == 2
    assert "another scheduler runs" in refused.stderr
    assert scheduler.stop() == 0
    assert processes(rig) == []
    assert rig.door.reports[-1]["state"] == "complete"


def test_a_run_under_way_finishes_when_the_scheduler_stops(rig: Rig, started: list[Scheduler]) -> None:
    asked, go_on = threading.Event(), threading.Event()
    whole = rig.web.pages["/list"]

    def held(request: Request) -> None:
        asked.set()
        go_on.wait(60)
        whole(request)

    rig.web.pages["/list"] = held
    rig.schedule("every: 1s")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    assert asked.wait(60)
    eventually(lambda: scheduler.says("still running, its next run follows at once"))
    scheduler.process.send_signal(signal.SIGINT)
    eventually(lambda: scheduler.says("stopping"))
    go_on.set()
    assert scheduler.process.wait(60) == 0
    assert [report["state"] for report in rig.door.reports] == ["running", "complete"]
    assert processes(rig) == []


def test_a_source_never_runs_twice_at_a_time(rig: Rig, started: list[Scheduler]) -> None:
    """Every request of a run ends before the next run's begins, though runs are due all the time."""
    lock, two_slots = threading.Lock(), threading.Event()
    whole, overlaps = rig.web.pages["/list"], []

    def slow(request: Request) -> None:
        overlaps.append(not lock.acquire(blocking=False))
        two_slots.wait(2.5)
        lock.release()
        whole(request)

    rig.web.pages["/list"] = slow
    rig.schedule("every: 1s")
    started.append(Scheduler(rig))
    eventually(lambda: len(ended(rig.door)) >= 2)
    reports = ended(rig.door)
    assert reports[0]["finished_at"] <= reports[1]["started_at"]
    assert not any(overlaps)


def test_a_hung_run_is_ended_and_told_and_the_next_one_runs(rig: Rig, started: list[Scheduler]) -> None:
    rig.scraper(HANGING)
    whole = rig.web.pages["/list"]
    rig.web.pages["/list"] = html(HANG)
    rig.schedule("every: 1s", "limit: 1s")
    started.append(Scheduler(rig))
    eventually(lambda: ended(rig.door))
    hung = ended(rig.door)[0]
    assert (hung["state"], hung["fault"]["code"]) == ("failed", "hung")
    assert "limit of 1 s" in hung["fault"]["message"]
    rig.web.pages["/list"] = whole
    eventually(lambda: ended(rig.door)[-1]["state"] == "complete")


def test_a_crashed_worker_is_told_and_replaced(rig: Rig, started: list[Scheduler]) -> None:
    rig.scraper(CRASHING)
    whole = rig.web.pages["/list"]
    rig.web.pages["/list"] = html(HANG.replace("hang", "crash"))
    rig.schedule("every: 1s")
    started.append(Scheduler(rig))
    eventually(lambda: ended(rig.door))
    crashed = ended(rig.door)[0]
    assert crashed["fault"]["code"] == "crashed"
    assert "ended with code 7" in crashed["fault"]["message"]
    rig.web.pages["/list"] = whole
    eventually(lambda: ended(rig.door)[-1]["state"] == "complete")


def test_a_stop_ends_what_does_not_end_by_itself(rig: Rig, started: list[Scheduler]) -> None:
    rig.scraper(HANGING)
    rig.web.pages["/list"] = html(HANG)
    scheduler = Scheduler(rig, "--grace", "0.3")
    started.append(scheduler)
    eventually(lambda: rig.web.log)
    assert scheduler.stop() == 0
    assert processes(rig) == []
    assert ended(rig.door)[0]["fault"]["code"] == "interrupted"


def test_a_killed_scheduler_leaves_no_worker(rig: Rig, started: list[Scheduler]) -> None:
    rig.schedule("every: 1s")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: ended(rig.door))
    assert any("scrapers.worker" in command for command in processes(rig))
    assert scheduler.stop(signal.SIGKILL) == -signal.SIGKILL
    eventually(lambda: not processes(rig), what="the worker ends by itself")


def test_a_killed_worker_leaves_no_browser(rig: Rig, started: list[Scheduler]) -> None:
    rig.scraper(HANGING)
    rig.web.pages["/list"] = html(HANG)
    rig.schedule("every: 1h", "fetch: browser")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: rig.web.log, what="the browser asks for the page")
    assert any("chrom" in command for command in processes(rig))
    [worker] = pids(rig, "scrapers.worker")
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: not any("chrom" in command for command in processes(rig)), what="the browser ends")
    eventually(lambda: ended(rig.door))
    assert "ended by signal 9" in ended(rig.door)[0]["fault"]["message"]


def test_the_file_is_taken_up_when_it_changes_and_a_broken_one_is_not(rig: Rig, started: list[Scheduler]) -> None:
    rig.schedule("every: 1s")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: ended(rig.door))
    rig.schedule("evry: 1s")
    [broken] = eventually(lambda: scheduler.says("schedules not reloaded, the sources stay as they are"))
    assert broken["problems"] == [f"{rig.schedules}:5: sources.shop.evry: is not a setting: did you mean every?"]
    before = len(ended(rig.door))
    eventually(lambda: len(ended(rig.door)) > before, what="the old schedule goes on")
    rig.schedule("every: 1h", more="  again: {portal: shop, every: 1s, pace: 0}\n")
    eventually(lambda: any(batch["source"] == "again" for batch in rig.door.batches))
    eventually(
        lambda: [got for got in rig.door.got if got.path == "/api/sources/shop"][-1].body["schedule"] == "every 1h"
    )
    rig.schedule("every: 1h")
    eventually(lambda: scheduler.says("source left the schedule"))
    told = eventually(
        lambda: [got.body for got in rig.door.got if got.path.endswith("/again") and "every" not in got.body]
    )
    assert (told[-1]["schedule"], told[-1].keys() & {"next_run", "stale_after"}) == ("by hand", set())
    rig.scraper(SCRAPER.replace("tools", "toys"))
    eventually(lambda: scheduler.says("portals changed, workers are renewed"))


def test_an_absent_server_gets_everything_later(rig: Rig, started: list[Scheduler]) -> None:
    port = free_port()
    rig.environ["PORTALWIRE_INGEST_URL"] = f"http://127.0.0.1:{port}"
    scheduler = Scheduler(rig)
    started.append(scheduler)
    eventually(lambda: scheduler.says("run ended"))
    assert scheduler.says("run ended")[0]["pending"] >= 3
    server = DoorServer(port)
    try:
        eventually(lambda: ended(server))
        assert [report["state"] for report in server.reports] == ["running", "complete"]
        assert len(server.batches) == 1
    finally:
        server.stop()


def test_a_server_that_hangs_holds_up_no_run(rig: Rig, started: list[Scheduler]) -> None:
    """It takes connections and requests, and never answers: kill -STOP."""
    go_on = threading.Event()
    rig.door.answer = lambda got: Answer(200) if go_on.wait(100) else Answer(503)
    rig.schedule("every: 1s", "limit: 5s", more="  again: {portal: shop, every: 1s, pace: 0, limit: 5s}\n")
    scheduler = Scheduler(rig)
    started.append(scheduler)
    try:
        eventually(lambda: len(scheduler.says("run ended")) >= 3)
        assert {line["state"] for line in scheduler.says("run ended")} == {"complete"}
        assert scheduler.says("the run was ended") == []
        assert "maximum number of running instances" not in scheduler.file.read_text()
    finally:
        go_on.set()
    eventually(lambda: {batch["source"] for batch in rig.door.batches} == {"shop", "again"})
    assert {report["state"] for report in ended(rig.door)} == {"complete"}


def test_once(rig: Rig) -> None:
    rig.schedule("every: 1h", more=f"  broken: {{portal: shop, pace: 0, start: {rig.web.url}/none}}\n")
    ran = rig.run("--once", module="scrapers.schedule")
    assert ran.returncode == 1, ran.stderr
    assert sorted(report["state"] for report in ended(rig.door)) == ["complete", "failed"]
    assert processes(rig) == []


def test_check_and_list(rig: Rig) -> None:
    rig.schedule("portal: shopp", "every: 1h")
    checked = rig.run("--check", module="scrapers.schedule")
    assert checked.returncode == 2
    assert f"{rig.schedules}:5: source shop needs a portal named 'shopp': did you mean shop?" in checked.stderr
    listed = rig.run("--list", module="scrapers.schedule")
    assert listed.returncode == 0
    assert "every 1h" in listed.stdout


def test_check_tells_all_of_the_portals_at_once(rig: Rig) -> None:
    rig.scraper("1 +", name="broken")
    text = "portals: [portals, nowhere]\nsources:\n  shop: {every: 1h}\n  shp: {every: 1h}\n  nosuch: {portal: gone}\n"
    rig.schedules.write_text(text)
    said = rig.run("--check", module="scrapers.schedule").stderr.splitlines()
    assert len(said) == 4
    assert "portals/broken.py does not import: SyntaxError" in said[0]
    assert f"{rig.schedules}:1: there is no folder of portals at " in said[1]
    assert f"{rig.schedules}:4: source shp needs a portal named 'shp'" in said[2]
    assert f"{rig.schedules}:5: source nosuch needs a portal named 'gone'" in said[3]
    rig.schedule("every: 1h")
    (rig.folder / "portals" / "broken.py").unlink()
    assert rig.run("--check", module="scrapers.schedule").stderr == f"{rig.schedules}: 1 source, nothing wrong\n"
