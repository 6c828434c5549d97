"""`python -m scrapers.run` as people use it: real processes, a real portal, a real door."""

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from scrapers.deliver.spool import Spool
from tests.conftest import ROOT, eventually, free_port
from tests.scrapers.door import Answer
from tests.scrapers.rig import SCRAPER, Rig


def test_delivered(rig: Rig) -> None:
    ran = rig.run("shop")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == ""
    assert "shop: complete, 3 entries on 1 pages" in ran.stderr
    assert "1 new, 0 changed, 0 removed, 0 unchanged, 0 rejected" in ran.stderr
    assert [got.path for got in rig.door.got] == ["/api/sources/shop", "/api/runs", "/api/entries", "/api/runs"]
    [batch] = rig.door.batches
    assert batch["complete"] is True
    assert batch["keys"] == ["k0", "k1", "k2"]
    assert batch["entries"][0]["data"] == {"name": "Item 0", "price": "1.50"}
    assert batch["entries"][0]["url"] == f"{rig.web.url}/x"
    begun, ended = rig.door.reports
    assert (begun["state"], ended["state"], ended["seen"], ended["pages"]) == ("running", "complete", 3, 1)
    assert batch["as_of"] == begun["started_at"] < batch["entries"][0]["observed_at"] < ended["finished_at"]
    assert {got.headers["X-Request-ID"] for got in rig.door.got} == {batch["run_id"]} == {ended["run_id"]}
    logged = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    assert {line["run_id"] for line in logged} == {batch["run_id"]}


def test_entries_as_json_and_nothing_delivered(rig: Rig) -> None:
    ran = rig.run("shop", "--dry-run", "--json")
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line)["key"] for line in ran.stdout.splitlines()] == ["k0", "k1", "k2"]
    assert rig.door.got == []
    assert not (rig.var / "spool").exists()


def test_what_a_portal_prints_is_no_entry(rig: Rig) -> None:
    noise = 'print("looking")\n    __import__("os").system("echo from a program")\n    page = visit()'
    rig.scraper("print('imported')\n" + SCRAPER.replace("page = visit()", noise))
    ran = rig.run("shop", "--dry-run", "--json")
    assert [json.loads(line)["key"] for line in ran.stdout.splitlines()] == ["k0", "k1", "k2"]
    assert all(said in ran.stderr for said in ("imported", "looking", "from a program"))


def test_a_portal_that_ends_the_program_is_a_bug_that_is_told(rig: Rig) -> None:
    rig.scraper(SCRAPER.replace("page = visit()", "page = exit(4)"))
    ran = rig.run("shop")
    assert ran.returncode == 1
    assert rig.door.reports[-1]["fault"]["code"] == "bug"
    assert "SystemExit: 4" in ran.stderr
    rig.scraper("exit(4)")
    assert "does not import: SystemExit: 4" in rig.run("shop").stderr


def test_a_redesigned_portal(rig: Rig) -> None:
    rig.shows("1.00", "call us")
    ran = rig.run("shop")
    assert ran.returncode == 1
    assert "shop: failed" in ran.stderr
    assert "selector 'i'" in ran.stderr
    assert rig.door.batches == []
    fault = rig.door.reports[-1]["fault"]
    assert (fault["code"], fault["selector"], fault["page"]) == ("unreadable", "i", f"{rig.web.url}/list")
    assert "call us" in Path(fault["saved"]).read_text()


def test_usage(rig: Rig) -> None:
    unknown = rig.run("shp")
    assert unknown.returncode == 2
    assert "did you mean shop?" in unknown.stderr
    rig.schedule("evry: 1h")
    broken = rig.run("shop")
    assert broken.returncode == 2
    assert f"{rig.schedules}:5: sources.shop.evry: is not a setting: did you mean every?" in broken.stderr


@pytest.mark.parametrize("module", ["scrapers.run", "scrapers.schedule"])
@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORTALWIRE_INGEST_URL", "nonsense", "PORTALWIRE_INGEST_URL is 'nonsense': it is an address like http://"),
        (
            "PORTALWIRE_VAR",
            "/dev/null/var",
            "PORTALWIRE_VAR is /dev/null/var, which cannot be written: Not a directory",
        ),
        ("PORTALWIRE_VAR", "/proc", "PORTALWIRE_VAR is /proc, which cannot be written: "),
    ],
)
def test_a_wrong_setting_is_named(rig: Rig, module: str, variable: str, value: str, words: str) -> None:
    rig.environ[variable] = value
    ran = rig.run(*(["shop"] if module == "scrapers.run" else ["--once"]), module=module)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
    assert words in ran.stderr


def test_a_port_that_is_none_is_not_taken_for_one(rig: Rig) -> None:
    rig.environ |= {"PORTALWIRE_PORT": "abc", "PORTALWIRE_INGEST_URL": ""}
    ran = rig.run("shop")
    assert ran.returncode == 2
    assert "PORTALWIRE_PORT is 'abc': a port is a number from 1 to 65535" in ran.stderr


def test_a_window_needs_a_display(rig: Rig) -> None:
    rig.environ |= {"DISPLAY": "", "WAYLAND_DISPLAY": ""}
    ran = rig.run("shop", "--headed")
    assert ran.returncode == 2
    assert "--headed needs a display, and DISPLAY names none" in ran.stderr


def test_a_scraper_that_forgets_to_yield(rig: Rig) -> None:
    rig.scraper(SCRAPER.replace("yield Entry", "Entry"))
    ran = rig.run("shop")
    assert ran.returncode == 1
    assert "the scraper returned None: it must yield its entries" in ran.stderr


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("http://nosuch.invalid/list", "no connection to nosuch.invalid: the name is not known"),
        ("http://127.0.0.1:{port}/list", "no connection to 127.0.0.1: nobody listens there"),
    ],
)
def test_a_portal_that_cannot_be_reached(rig: Rig, start: str, words: str) -> None:
    rig.schedule(f"start: {start.format(port=free_port())}", "robots: false")
    ran = rig.run("shop")
    assert ran.returncode == 1
    assert f"fetch: {words}\n" in ran.stderr


@pytest.mark.parametrize(
    ("offline", "words"),
    [("true", "Or set SE_OFFLINE=false, and Selenium fetches them."), ("false", "Selenium looked for them online")],
)
def test_without_a_browser(rig: Rig, offline: str, words: str) -> None:
    rig.schedule("fetch: browser")
    nowhere = str(rig.folder)
    rig.environ |= {"PATH": nowhere, "HOME": nowhere, "PORTALWIRE_CHROMIUM": "", "SE_OFFLINE": offline}
    rig.environ |= {"SE_PROXY": "http://127.0.0.1:1", "SE_CACHE_PATH": nowhere}
    ran = rig.run("shop")
    assert ran.returncode == 1
    assert (
        "browser_missing: There is no Chromium with its driver here: install chromium and chromium-driver" in ran.stderr
    )
    assert words in ran.stderr


def test_list_and_help(rig: Rig) -> None:
    listed = rig.run("--list")
    assert listed.returncode == 0
    assert re.search(r"shop +every 1h +http +shop", listed.stdout)
    assert "Exit codes" in rig.run("--help").stdout
    rig.schedule("every: 1h", more="  ticks: {pushed: true}\n")
    for module in ("scrapers.run", "scrapers.schedule"):
        listed = rig.run("--list", module=module)
        assert re.search(r"ticks +as it comes +– +–", listed.stdout), listed.stdout


def test_an_absent_server_then_the_next_run(rig: Rig) -> None:
    rig.environ["PORTALWIRE_INGEST_URL"] = f"http://127.0.0.1:{free_port()}"
    away = rig.run("shop", "--patience", "0")
    assert away.returncode == 3
    assert "4 requests wait in the spool" in away.stderr
    rig.environ.clear()
    rig.shows("1.50", "9.99")
    assert rig.run("shop").returncode == 0
    first, second = rig.door.batches
    assert len(first["entries"]) == 3
    assert second["keys"] == ["k0", "k1"]
    assert Spool(rig.var, "shop").pending() == []


@pytest.mark.timeout(60)  # it waited a minute for each of two answers
def test_a_server_that_hangs_is_waited_for_as_long_as_is_said(rig: Rig) -> None:
    go_on = threading.Event()
    rig.door.answer = lambda got: Answer(200) if go_on.wait(150) else Answer(503)
    try:
        ran = rig.run("shop", "--patience", "1")
    finally:
        go_on.set()
    assert ran.returncode == 3, ran.stderr
    assert "shop: complete, 3 entries" in ran.stderr
    assert "requests wait in the spool" in ran.stderr
    assert "no answer from" in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(rig: Rig, number: int) -> None:
    asked, go_on = threading.Event(), threading.Event()
    rig.web.pages["/list"] = lambda request: (asked.set(), go_on.wait(30), request.send(b"<li>"))  # type: ignore[assignment,func-returns-value]
    process = subprocess.Popen(
        rig.command("scrapers.run", "shop"),
        cwd=ROOT,
        env=rig.environment(),
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # also where the tests run under nohup
    )
    try:
        assert asked.wait(30)
        os.kill(process.pid, number)
        assert process.wait(30) == 130
    finally:
        go_on.set()
        process.kill()
        process.wait()
    eventually(lambda: len(rig.door.reports) == 2)
    assert rig.door.reports[-1]["fault"]["code"] == "interrupted"


def interrupted_on_page_two(rig: Rig, *arguments: str) -> tuple[int, str]:
    """The exit code and stderr of a run that is told to end after three entries, when it waits for the next page."""
    asked, go_on = threading.Event(), threading.Event()
    rig.shows("1.50", "2.50", "3.50", next_path="/more")
    rig.web.pages["/more"] = lambda request: (asked.set(), go_on.wait(30), None)[-1]
    command = rig.command("scrapers.run", "shop", *arguments)
    process = subprocess.Popen(command, cwd=ROOT, env=rig.environment(), stderr=subprocess.PIPE, text=True)
    try:
        assert asked.wait(30)
        process.terminate()
        _, said = process.communicate(timeout=30)
    finally:
        go_on.set()
        process.kill()
        process.wait()
    return process.returncode, said


def test_what_an_interrupted_run_has_read_is_delivered(rig: Rig) -> None:
    code, said = interrupted_on_page_two(rig)
    assert (code, said.splitlines()[-1]) == (130, "interrupted; nothing waits in the spool")
    [batch] = rig.door.batches
    assert ([entry["key"] for entry in batch["entries"]], batch.get("complete", False)) == (["k0", "k1", "k2"], False)
    assert [report["state"] for report in rig.door.reports] == ["running", "failed"]


def test_what_an_interrupted_run_has_read_waits_for_an_absent_server(rig: Rig) -> None:
    rig.environ["PORTALWIRE_INGEST_URL"] = f"http://127.0.0.1:{free_port()}"
    code, said = interrupted_on_page_two(rig)
    assert (code, said.splitlines()[-1]) == (130, "interrupted; 4 requests wait in the spool for the next run")
    kinds = [kept.suffix for kept in Spool(rig.var, "shop").pending()]
    assert kinds == [".source", ".run", ".batch", ".run"]


def test_an_interrupted_rehearsal_promises_nothing(rig: Rig) -> None:
    code, said = interrupted_on_page_two(rig, "--dry-run")
    assert (code, said.splitlines()[-1]) == (130, "interrupted; nothing was to be delivered")
    assert not (rig.var / "spool").exists()


def test_recorded_and_replayed(rig: Rig, tmp_path: Path) -> None:
    recorded = rig.run("shop", "--record", str(tmp_path / "pages"), "--dry-run", "--json")
    assert recorded.returncode == 0, recorded.stderr
    rig.web.pages.clear()
    replayed = rig.run("shop", "--replay", str(tmp_path / "pages"), "--dry-run", "--json")
    assert replayed.stdout == recorded.stdout
    assert rig.run("shop", "--replay", str(tmp_path / "none")).returncode == 2


def test_a_portal_that_no_schedule_names(rig: Rig) -> None:
    rig.scraper(SCRAPER.replace('"shop"', '"other"'), name="other")
    ran = rig.run("other")
    assert ran.returncode == 0, ran.stderr
    assert rig.door.batches[0]["source"] == "other"


def test_a_portal_without_python(rig: Rig) -> None:
    rig.shows("1.50", "2.50", next_path="/more")
    rig.shows("7.50", path="/more", first=2)
    rig.schedule(
        f"start: {rig.web.url}/list",
        "fields:",
        "  rows: li",
        "  key: {attribute: id}",
        "  next: a[rel=next]",
        "  fields: {name: b, price: {selector: i, type: money}, note: {selector: u, optional: true}}",
        name="plain",
    )
    ran = rig.run("plain", "--json")
    assert ran.returncode == 0, ran.stderr
    entries = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [(entry["key"], entry["data"]) for entry in entries][1:] == [
        ("k1", {"name": "Item 1", "price": "2.50"}),
        ("k2", {"name": "Item 0", "price": "7.50"}),
    ]
