"""Signing in on the page, being told when access ends, and signing out: a real browser on a server with a secret."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.conftest import Server
from tests.end_to_end.reading import Reading
from tests.tokens import LOCKED, deliver, token


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, LOCKED)
    server.start()
    yield server
    server.stop()


def enter(page: Reading, text: str) -> None:
    field = page.chrome.find_element(By.ID, "sign-in-token")
    field.clear()
    field.send_keys(text)
    page.click("#sign-in-form .button")


def is_asked(page: Reading) -> bool:
    return bool(page.js("return document.getElementById('sign-in')?.open ?? false"))


def test_the_charts_lead_to_the_page_and_back(chrome: Chrome, server: Server) -> None:
    deliver(server, "vendor_x", {"k": {"name": "Beam", "price": 5}})
    page = Reading(chrome, server.url)
    page.arrive()
    chrome.get(f"{server.url}/dashboard/")
    page.wait(lambda: is_asked(page), "it asks for a token")
    enter(page, token("vendor_x"))
    page.wait(
        lambda: "The charts show every source" in page.text("#sign-in-why"), "one that covers too little does not do"
    )
    enter(page, token("*"))
    page.wait(
        lambda: "vendor_x" in (page.js("return document.getElementById('health')?.innerText") or ""), "the charts"
    )
    assert chrome.current_url == f"{server.url}/dashboard/"


def test_a_reader_signs_in_and_is_told_when_access_ends(chrome: Chrome, server: Server) -> None:
    deliver(server, "vendor_x", {"k": {"name": "Beam"}})
    deliver(server, "vendor_y", {"k": {"name": "Rod"}})
    page = Reading(chrome, server.url)
    page.resize(1440)
    page.arrive()
    page.wait(lambda: is_asked(page), "it asks for a token")
    page.wait(lambda: page.claim == "Not signed in", "the band says so")
    assert page.names == []
    violations = page.violations()
    enter(page, "nonsense")
    page.wait(lambda: page.text("#sign-in-fault") == "that is not a token of this server", "why not")
    now = int(time.time())
    enter(page, token("vendor_x", sub="alice", ttl=40, now=now))
    page.wait(lambda: page.line == "live" and page.names == ["Beam"], "what the token covers, and only that")
    assert not is_asked(page)
    assert page.js("return document.cookie") == ""
    assert "Rod" not in page.text("body")
    page.wait(lambda: is_asked(page), "it is told that access ended")
    assert now + 39 < time.time() < now + 43
    assert "Your access has ended" in page.text("#sign-in-why")
    page.click("#sign-in .close")
    page.wait(lambda: page.claim.startswith("Not live since"), "the band says so")
    assert "What you see was true then. Your access has ended" in page.text("#caveat")
    assert page.names == ["Beam"]
    page.click("#caveat button")
    assert is_asked(page)
    enter(page, token("*", sub="alice"))
    page.wait(lambda: page.line == "live" and sorted(page.names) == ["Beam", "Rod"], "live again")
    page.js("document.querySelector('#settings').showPopover()")
    assert "alice" in page.text("#signed-in")
    violations += page.violations()
    page.click("#sign-out")
    page.wait(lambda: is_asked(page) and page.claim == "Not signed in", "it is signed out")
    assert violations == []
