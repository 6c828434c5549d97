"""The page for everyone: axe finds nothing wrong with any of its states, light and dark, narrow and wide."""

import pytest
import requests
from selenium.webdriver import Chrome

from tests.conftest import Server
from tests.end_to_end.reading import Reading
from tests.end_to_end.vendor import beam, configure
from tests.sending import post

STATES = {
    "live": ("#/live", "Live, complete as of"),
    "room": ("#/live/vendor_x", "All 9 entries"),
    "suspect": ("#/live/vendor_y", "Review the batch"),
    "entry": ("#/live/vendor_x/-/SKU-3", "2 versions"),
    "health": ("#/health", "of 2 sources fresh"),
    "source": ("#/health/vendor_x", "Configured"),
    "held": ("#/health/vendor_y/held", "Approve 9 removals"),
    "rejected": ("#/health/vendor_x/rejected", "What was sent"),
}


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Reading:
    return Reading(chrome, server.url)


def test_axe_finds_nothing(page: Reading, server: Server) -> None:
    configure(server)
    configure(server, "vendor_y", title="Vendor Y")
    post(server.url, "vendor_x", {f"SKU-{n}": ("steel", beam("1.00", f"Beam {n}")) for n in range(12)}, complete=True)
    post(server.url, "vendor_y", {f"VY-{n}": beam("1.00", f"Rod {n}") for n in range(10)}, complete=True)
    page.open()
    post(server.url, "vendor_y", {"VY-0": beam("1.00", "Rod 0")}, complete=True)  # held
    changed = {f"SKU-{n}": ("steel", beam(f"{n}.00", f"Beam {n}")) for n in range(8)}
    post(server.url, "vendor_x", {**changed, "SKU-50": beam("1.00", "Plate")}, complete=True)
    requests.post(
        f"{server.url}/api/entries",
        json={"source": "vendor_x", "run_id": "r", "batch_id": "bad", "entries": [{"key": "", "data": {}}]},
        timeout=10,
    ).raise_for_status()
    page.wait(lambda: "Vendor Y (suspect)" in page.text("#caveat"), "the exception is named")
    found = []
    for scheme in ("light", "dark"):
        page.theme(scheme)
        for width in (1440, 390):
            page.resize(width)
            found += [f"{scheme}, {width}: {violation}" for violation in wrong_in_all_states(page)]
    server.kill()
    page.wait(lambda: page.line == "lost", "the line is lost")
    for scheme in ("light", "dark"):
        page.theme(scheme)
        for width in (1440, 390):
            page.resize(width)
            found += [f"{scheme}, {width}: lost: {violation}" for violation in page.violations()]
    assert found == []


def wrong_in_all_states(page: Reading) -> list[str]:
    found = []
    for state, (hash, sign) in STATES.items():
        page.go(hash)
        page.wait(lambda sign=sign: sign in page.text("body"), f"{state} is shown")  # type: ignore[misc]
        found += [f"{state}: {violation}" for violation in page.violations()]
    page.go("#/live")
    page.js("document.querySelector('#keys').showModal()")
    found += [f"keys: {violation}" for violation in page.violations()]
    page.js("document.querySelector('#keys').close(); document.querySelector('#settings').showPopover()")
    found += [f"settings: {violation}" for violation in page.violations()]
    page.js("document.querySelector('#settings').hidePopover()")
    return found
