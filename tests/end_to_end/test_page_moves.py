"""A portal changes and the page shows it: demo site, scheduler, server and browser, with nothing between them faked."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from selenium.webdriver import Chrome

from fixtures.demo.server import PASSWORD, USER
from tests.conftest import ROOT, Server, eventually
from tests.demo_fixture import Demo
from tests.end_to_end.reading import Reading

VENDORS = ("vendor_x", "vendor_y")  # the one over HTTP, the other behind a login in a browser
Truth = dict[str, dict[str, Any]]


@pytest.fixture
def scheduled(demo: Demo, server: Server, tmp_path: Path) -> Iterator[None]:
    """The project's own schedules.yaml, in a greater hurry, with both vendors read once."""
    schedules = tmp_path / "schedules.yaml"
    schedules.write_text(re.sub(r"every: 1[05]s", "every: 2s", (ROOT / "schedules.yaml").read_text()))
    environment = {
        **os.environ,
        "PORTALWIRE_SCHEDULES": str(schedules),
        "PORTALWIRE_VAR": str(tmp_path / "var"),
        "PORTALWIRE_INGEST_URL": server.url,
        "PORTALWIRE_DEMO_PORT": str(demo.port),
        "PORTALWIRE_DEMO_USER": USER,
        "PORTALWIRE_DEMO_PASSWORD": PASSWORD,
    }
    with (tmp_path / "scheduler.log").open("wb") as log:
        command = [sys.executable, "-m", "scrapers.schedule"]
        scheduler = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        eventually(
            lambda: all(present(server, name) == len(demo.truth(name)) for name in VENDORS), what="both are read"
        )
        yield
    finally:
        scheduler.send_signal(signal.SIGTERM)
        scheduler.wait(60)


def present(server: Server, name: str) -> int:
    sources = requests.get(f"{server.url}/api/sources", timeout=10).json()["sources"]
    return next((source["present"] for source in sources if source["name"] == name), 0)


def test_what_the_portals_change_is_on_the_page_without_a_reload(
    scheduled: None, demo: Demo, server: Server, chrome: Chrome
) -> None:
    page = Reading(chrome, server.url).open()
    page.wait(lambda: page.rows, "the entries are there")
    page.js("window.loadedOnce = true")
    repriced = dict.fromkeys(VENDORS, 0)
    for _ in range(3):
        before = {name: demo.truth(name) for name in VENDORS}
        demo.step()
        for name in VENDORS:
            repriced[name] += shows_step(page, name, before[name], demo.truth(name))
    assert all(repriced.values()), "what a step changes may be the stock alone"
    assert page.js("return window.loadedOnce === true && performance.getEntriesByType('navigation').length === 1")


def shows_step(page: Reading, name: str, before: Truth, now: Truth) -> int:
    """What came, what has another price, and what went; how many have another price."""
    repriced = [key for key in before.keys() & now.keys() if before[key]["price"] != now[key]["price"]]
    assert now.keys() != before.keys()
    for key in (*repriced, *(now.keys() - before.keys())):
        price = now[key]["price"]
        page.wait(lambda key=key, price=price: price in shown(page, name, key), f"{name}/{key} shows {price}")
        assert page.row(f"{name}/{key}")["name"] == now[key]["name"]
    for key in before.keys() - now.keys():
        page.wait(lambda key=key: page.row(f"{name}/{key}").get("kind") == "removed", f"{name}/{key} is struck out")
    return len(repriced)


def shown(page: Reading, name: str, key: str) -> str:
    """The words of a row that is marked as unread, its numbers as the portal writes them."""
    row = page.row(f"{name}/{key}")
    return row["text"].replace(",", "").split("→")[-1] if row.get("unread") else ""
