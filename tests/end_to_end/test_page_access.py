"""The page for everyone: axe finds nothing wrong with any of its states, light and dark, narrow and wide."""

from collections.abc import Callable
from datetime import UTC, datetime

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
    "stale": ("#/live/vendor_s", "complete run since"),
    "failing": ("#/live/vendor_f", "The table is gone"),
    "empty": ("#/live/vendor_e", "Vendor E has delivered nothing yet"),
    "health": ("#/health", "of 5 sources fresh"),
    "source": ("#/health/vendor_x", "Configured"),
    "stale source": ("#/health/vendor_s", "complete run since"),
    "failing source": ("#/health/vendor_f", "The table is gone"),
    "held": ("#/health/vendor_y/held", "Approve 9 removals"),
    "rejected": ("#/health/vendor_x/rejected", "What was sent"),
}
SEARCH = """
const search = document.querySelector("#search");
search.value = arguments[0];
search.dispatchEvent(new Event("input", { bubbles: true }));
"""


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
    in_doubt(server)
    found = everywhere(page, wrong_in_all_states)
    server.kill()
    page.wait(lambda: page.line == "lost", "the line is lost")
    assert found + everywhere(page, lambda page: [f"lost: {violation}" for violation in page.violations()]) == []


def in_doubt(server: Server) -> None:
    """One source that is stale, one that fails, and one that has not delivered."""
    configure(server, "vendor_s", title="Vendor S", stale_after=1)
    configure(server, "vendor_f", title="Vendor F")
    configure(server, "vendor_e", title="Vendor E")
    for source in ("vendor_s", "vendor_f"):
        post(server.url, source, {f"{source}-{n}": beam("1.00", f"Bar {n}") for n in range(5)}, complete=True)
    fault = {"code": "redesigned", "message": "The table is gone", "lasting": True, "selector": "table.prices"}
    moment = datetime.now(UTC).isoformat()
    report = {"run_id": "f", "source": "vendor_f", "state": "failed", "started_at": moment, "finished_at": moment}
    requests.post(f"{server.url}/api/runs", json={**report, "fault": fault}, timeout=10).raise_for_status()


def test_axe_finds_nothing_where_there_is_nothing_yet(page: Reading) -> None:
    page.open()
    page.wait(lambda: "No source has delivered yet" in page.text("#blank"), "it says that there is nothing")
    assert everywhere(page, lambda page: page.violations()) == []


def everywhere(page: Reading, wrong: Callable[[Reading], list[str]]) -> list[str]:
    """What is wrong in light and dark, wide and narrow."""
    found = []
    for scheme in ("light", "dark"):
        page.theme(scheme)
        for width in (1440, 390):
            page.resize(width)
            found += [f"{scheme}, {width}: {violation}" for violation in wrong(page)]
    return found


def wrong_in_all_states(page: Reading) -> list[str]:
    found = []
    for state, (hash, sign) in STATES.items():
        page.go(hash)
        page.wait(lambda sign=sign: sign in page.text("body"), f"{state} is shown")  # type: ignore[misc]
        found += [f"{state}: {violation}" for violation in page.violations()]
    page.go("#/live")
    page.js(SEARCH, "nowhere")
    page.wait(lambda: "matches “nowhere”" in page.text("#blank"), "nothing matches")
    found += [f"nothing matches: {violation}" for violation in page.violations()]
    page.js(SEARCH, "")
    page.wait(lambda: page.rows, "everything matches")
    if page.js("return document.querySelector('#sources-open').offsetWidth"):
        page.click("#sources-open")
        page.wait(lambda: page.js("return document.querySelector('#rail').offsetHeight"), "the sheet is open")
        found += [f"sheet: {violation}" for violation in page.violations()]
        page.click("#sources-open")
    page.js("document.querySelector('#keys').showModal()")
    found += [f"keys: {violation}" for violation in page.violations()]
    page.js("document.querySelector('#keys').close(); document.querySelector('#settings').showPopover()")
    found += [f"settings: {violation}" for violation in page.violations()]
    page.js("document.querySelector('#settings').hidePopover()")
    return found
