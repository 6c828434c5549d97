"""A source that says too much to be read whole is listed, and followed only while someone looks."""

import pytest
import requests
from selenium.webdriver import Chrome

from tests.conftest import Server
from tests.end_to_end.reading import Reading
from tests.end_to_end.vendor import beam, configure
from tests.sending import post

MANY = 1_500  # more than the page keeps


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Reading:
    configure(server)
    configure(server, "ticks", title="Ticks", quiet=True)
    post(server.url, "vendor_x", {"SKU-1": beam("1.00", "Beam")}, complete=True)
    post(server.url, "ticks", {f"T-{n}": beam("1.00") for n in range(10)}, complete=True)
    return Reading(chrome, server.url).open()


def present(server: Server, source: str) -> int:
    """How many entries the server has of a source."""
    count: int = requests.get(f"{server.url}/api/sources/{source}", timeout=10).json()["present"]
    return count


def test_a_quiet_source_flows_only_in_its_own_room(page: Reading, server: Server) -> None:
    assert page.names == ["Beam"]
    assert "Ticks" in page.text("#rail")
    page.go("#/live/ticks")
    page.wait(lambda: "newest entries only" in page.claim, "the room is open")
    page.wait(lambda: "no entries" in page.text("#blank"), "from now on")
    post(server.url, "ticks", {f"T-{n}": beam("2.00", f"T-{n}") for n in range(100, 100 + MANY)})
    page.wait(lambda: len(page.rows) > 20, "entries flow in")
    page.wait(
        lambda: page.js("return document.querySelector('#entries').getAttribute('aria-rowcount')") == "1001",
        "the newest thousand are kept",
    )
    assert page.names[0] == f"T-{99 + MANY}"
    assert "Nothing unread" in page.text("#news")
    page.js("document.querySelector('#stream').scrollTop = 1000")
    page.wait(lambda: f"T-{99 + MANY}" not in page.names, "other rows are in sight")
    before = page.names
    post(server.url, "ticks", {f"T-{n}": beam("3.00", f"T-{n}") for n in range(5_000, 5_000 + MANY)})
    page.wait(lambda: "1,000 new" in page.text("#pill"), "what comes waits")
    assert page.names == before
    page.go("#/live")
    page.wait(lambda: page.names == ["Beam"], "it does not follow one out of its room")
    assert present(server, "ticks") == 10 + 2 * MANY


def test_the_wire_vouches_for_nothing_before_the_first_it_knows(page: Reading, server: Server) -> None:
    post(server.url, "vendor_x", {"SKU-1": beam("1.10", "Beam")}, complete=True)
    begin = page.wait(
        lambda: page.js("return document.querySelector('#wire .sure')?.getAttribute('d').match(/^M([0-9.]+)/)[1]"),
        "the wire is solid somewhere",
    )
    wide = page.js("return document.querySelector('#wire svg').viewBox.baseVal.width")
    assert float(begin) > 0.8 * wide, "nobody was there half an hour ago"
