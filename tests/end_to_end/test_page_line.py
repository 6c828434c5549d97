"""The page and its line to the server: what is posted is seen, what was missed is caught up with, by everyone."""

import re
from pathlib import Path

import pytest
import requests
from selenium.webdriver import Chrome

from tests.conftest import Server
from tests.end_to_end.conftest import open_browser
from tests.end_to_end.reading import Reading
from tests.end_to_end.vendor import beam, configure
from tests.sending import post


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Reading:
    return Reading(chrome, server.url)


def test_an_entry_appears_without_a_reload(page: Reading, server: Server) -> None:
    page.open()
    page.wait(lambda: "no sources yet" in page.claim, "it says that there is nothing yet")
    page.js("window.same = true")
    configure(server)
    post(server.url, "vendor_x", {"SKU-1": ("steel", beam("510.00"))}, complete=True)
    page.wait(lambda: page.names == ["Beam HEB 200"], "the entry is there")
    page.wait(lambda: re.match(r"Live, complete as of \d\d:\d\d:\d\d", page.claim), "the page vouches")
    assert "510.00 EUR" in page.row("vendor_x/SKU-1")["text"]
    assert "Vendor X" in page.text("#rail")
    assert page.js("return window.same")


def test_a_killed_server_is_seen_and_caught_up_with(page: Reading, server: Server) -> None:
    configure(server)
    post(server.url, "vendor_x", {f"SKU-{n}": beam("1.00", f"Beam {n}") for n in range(20)})
    page.open("#/live/vendor_x")
    page.js("window.same = true")
    server.kill()
    page.wait(lambda: page.claim.startswith("Not live since"), "the page knows that the line is lost")
    assert page.js("return document.title").startswith("Not live")
    assert len(page.rows) == 20
    server.start()
    changed = {f"SKU-{n}": beam("2.00", f"Beam {n}") for n in range(5)}
    post(server.url, "vendor_x", {**changed, "SKU-99": beam("9.00", "Beam 99")})
    page.wait(lambda: page.line == "live", "the page is live again")
    page.wait(lambda: len(page.rows) == 21, "the new entry is there")
    kinds = [row["kind"] for row in page.rows]
    assert (kinds.count("changed"), kinds.count("new")) == (5, 16)
    assert page.js("return window.same")
    offsets = requests.get(f"{server.url}/api/sources/vendor_x", timeout=10).json()["head"]
    assert offsets == 26


def test_what_changed_while_the_line_was_lost_is_told_in_the_table(page: Reading, server: Server) -> None:
    configure(server)
    post(server.url, "vendor_x", {f"SKU-{n}": beam("1.00", f"Beam {n}") for n in range(3)})
    page.open("#/live/vendor_x")
    page.chrome.execute_cdp_cmd("Network.enable", {})
    try:
        server.kill()
        page.wait(lambda: page.line == "lost", "the line is lost")
        offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        server.start()
        post(server.url, "vendor_x", {"SKU-1": beam("2.00", "Beam 1"), "SKU-7": beam("7.00", "Beam 7")})
    finally:
        online = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        page.chrome.execute_cdp_cmd("Network.emulateNetworkConditions", online)
    page.click("#caveat button")
    page.wait(lambda: page.line == "live", "the page is live again")
    page.wait(lambda: "none missing" in page.text("#rows .edge[data-edge=hole]"), "the disconnection is drawn")
    assert "the 2 entries that changed are above" in page.text("#rows .edge[data-edge=hole]")
    assert [row["id"] for row in page.rows][:2] in (
        ["vendor_x/SKU-7", "vendor_x/SKU-1"],
        ["vendor_x/SKU-1", "vendor_x/SKU-7"],
    )


def test_a_rebuilt_database_replaces_what_was_there(page: Reading, server: Server) -> None:
    configure(server)
    post(server.url, "vendor_x", {f"SKU-{n}": beam("1.00", f"Beam {n}") for n in range(10)})
    page.open("#/live/vendor_x")
    server.stop()
    for file in server.database.parent.glob("server.db*"):
        file.unlink()
    server.start()
    configure(server)
    post(server.url, "vendor_x", {"NEW-1": beam("3.00", "Plate")})
    page.wait(lambda: page.line == "live" and page.names == ["Plate"], "only the new life is shown")


def test_two_browsers_see_the_same(page: Reading, server: Server, tmp_path: Path) -> None:
    configure(server)
    configure(server, "vendor_y")
    other = Reading(open_browser(tmp_path / "profile"), server.url)
    try:
        page.open()
        post(server.url, "vendor_x", {f"SKU-{n}": beam("1.00", f"Beam {n}") for n in range(12)})
        other.open()
        post(server.url, "vendor_y", {f"VY-{n}": beam("2.00", f"Rod {n}") for n in range(8)})
        post(server.url, "vendor_x", {f"SKU-{n}": beam("1.50", f"Beam {n}") for n in range(0, 12, 2)})

        def seen(one: Reading) -> list[tuple[str, str]]:
            return [(row["id"], row["kind"]) for row in one.rows]

        page.wait(
            lambda: [kind for _, kind in seen(page)].count("changed") == 6 and len(seen(page)) == 20,
            "the first has all",
        )
        page.wait(lambda: seen(other) == seen(page), "both show the same in the same order")
    finally:
        other.chrome.quit()
