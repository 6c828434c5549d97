"""How Chromium is found and started."""

import os
from pathlib import Path

import pytest

from scrapers.errors import BrowserMissing, Forbidden
from scrapers.fetch.chromium import Binaries, arguments, find
from scrapers.fetch.gate import Gate


def program(folder: Path, name: str) -> str:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return str(file)


def test_both_are_found_on_the_path(tmp_path):
    browser, driver = program(tmp_path, "chromium"), program(tmp_path, "chromedriver")
    assert find({"PATH": str(tmp_path)}) == Binaries(browser, driver)


def test_named_browser_comes_with_the_driver_beside_it(tmp_path):
    browser, driver = program(tmp_path, "my-chrome"), program(tmp_path, "chromedriver")
    assert find({"PATH": "/nowhere", "PORTALWIRE_CHROMIUM": browser}) == Binaries(browser, driver)


def test_what_is_missing_is_left_to_selenium(tmp_path):
    assert find({"PATH": str(tmp_path)}) == Binaries(None, None)


def test_missing_browser_says_what_to_do():
    with pytest.raises(BrowserMissing, match="PORTALWIRE_CHROMIUM is /nowhere"):
        find({"PATH": os.environ["PATH"], "PORTALWIRE_CHROMIUM": "/nowhere"})
    assert "install chromium and chromium-driver" in str(BrowserMissing())


def test_only_the_gates_hosts_resolve_and_to_checked_addresses(tmp_path):
    gate = Gate("http://127.0.0.1:5050/x", ["no-such-host.invalid"])
    line = arguments(tmp_path, gate, headed=False)
    assert "--host-resolver-rules=MAP 127.0.0.1:5050 127.0.0.1, MAP * ~NOTFOUND" in line
    assert "--headless=new" in line
    assert "--headless=new" not in arguments(tmp_path, gate, headed=True)
    assert ("--no-sandbox" in line) == (os.geteuid() == 0)


def test_host_that_leads_to_a_private_network_is_not_handed_to_the_browser(tmp_path, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **kwargs: [(2, 1, 6, "", ("10.0.0.7", 80))])
    with pytest.raises(Forbidden, match="inside a private network"):
        arguments(tmp_path, Gate("http://rebound.example/"), headed=False)
