"""The page in the order of a number: the server's order, which stands until one goes back to newest."""

import pytest
from selenium.webdriver import Chrome

from tests.conftest import Server
from tests.end_to_end.reading import Reading
from tests.end_to_end.vendor import beam, configure
from tests.sending import post


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Reading:
    configure(server)
    prices = {f"SKU-{n:03}": (("steel", "oak")[n % 2], beam(f"{n * 7 % 120}.50", f"Beam {n:03}")) for n in range(120)}
    post(server.url, "vendor_x", prices, complete=True)
    return Reading(chrome, server.url).open("#/live/vendor_x")


def shown(page: Reading) -> list[float]:
    """The prices in the table, from the top."""
    cells = page.js("return [...document.querySelectorAll('#rows tr[data-id]')].map(tr => tr.dataset.id)")
    return [int(id.rpartition("-")[2]) * 7 % 120 + 0.5 for id in cells]


def test_the_servers_order_stands_until_one_goes_back(page: Reading, server: Server) -> None:
    page.click("#head [data-field=price]")
    page.wait(lambda: "Top 50 by price, as of " in page.text("#tally"), "the server's order")
    assert shown(page)[:3] == [119.5, 118.5, 117.5]
    assert page.js("return document.querySelector('#entries').getAttribute('aria-rowcount')") == "51"
    assert page.js("return document.activeElement.dataset.field") == "price"
    before = page.names
    post(server.url, "vendor_x", {"SKU-500": ("steel", beam("999.00", "Plate"))})
    page.wait(lambda: "1 new" in page.text("#pill"), "the arrival waits")
    assert page.names == before
    assert page.violations() == []
    page.click("#head [data-field=price]")
    page.wait(lambda: "Lowest 50 by price" in page.text("#tally"), "the other way round")
    assert shown(page)[0] == 0.5
    page.go("#/live/vendor_x/oak")
    page.wait(lambda: shown(page)[0] == 1.5 and "Lowest 50" in page.text("#tally"), "of the topic")
    page.click("#tally button")
    page.go("#/live/vendor_x")
    page.wait(lambda: page.names[0] == "Plate", "newest first again")


def test_a_quiet_source_is_ordered_beyond_what_the_page_has(page: Reading, server: Server) -> None:
    configure(server, "ticks", title="Ticks", quiet=True)
    post(server.url, "ticks", {f"T-{n}": beam(f"{n}.00", f"T-{n}") for n in range(10)})
    page.go("#/live/ticks")
    page.wait(lambda: "no entries" in page.text("#blank"), "from now on")
    post(server.url, "ticks", {"T-3": beam("4.50", "T-3")})
    page.wait(lambda: page.names == ["T-3"], "what changes")
    page.click("#head [data-field=price]")
    order = ["T-9", "T-8", "T-7", "T-6", "T-5", "T-3", "T-4", "T-2", "T-1", "T-0"]
    page.wait(lambda: page.names == order, "what the server has")
