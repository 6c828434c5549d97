"""The charts in a real browser: drawn from the store, then pushed."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.conftest import Server, eventually
from tests.sending import post
from tests.several import many

__all__ = ["many"]

POINTS = 20


@pytest.fixture
def charts(chrome: WebDriver, server: Server) -> Iterator[WebDriver]:
    post(server.url, "vendor_x", {f"k{n}": {"name": f"Beam {n}", "price": f"{n}.50"} for n in range(15)}, complete=True)
    chrome.get(f"{server.url}/dashboard/")
    eventually(lambda: text(chrome, "line") == "Live", what="the line is there")
    eventually(lambda: trace(chrome, "points", "vendor_x"), what="deliveries are drawn")
    yield chrome
    chrome.get("about:blank")


def text(browser: WebDriver, name: str) -> str:
    """The words of an element, none while it is not there."""
    words: str = browser.execute_script("return document.getElementById(arguments[0])?.innerText ?? ''", name)
    return words


def trace(browser: WebDriver, chart: str, name: str) -> dict[str, list[Any]] | None:
    """`{x, y}` of a trace as it is drawn, None while it is not there."""
    found: dict[str, list[Any]] | None = browser.execute_script(
        """
        const plot = document.querySelector(`#${arguments[0]} .js-plotly-plot`);
        const trace = plot?._fullData?.find(each => [each.meta, each.name].includes(arguments[1]));
        return trace ? { x: Array.from(trace.x ?? []), y: Array.from(trace.y ?? []) } : null;
        """,
        chart,
        name,
    )
    return found


def markers(browser: WebDriver, chart: str = "points") -> int:
    """Points that are on the screen."""
    script = "return document.querySelectorAll(`#${arguments[0]} .scatterlayer .point`).length"
    count: int = browser.execute_script(script, chart)
    return count


def test_what_was_before_is_drawn_from_the_store(charts: WebDriver) -> None:
    kinds = trace(charts, "kinds", "new")
    assert kinds is not None
    assert kinds["y"] == [15]
    eventually(lambda: markers(charts, "lines") == 1, what="the first minute is no line yet, and a point already")
    eventually(lambda: "vendor_x" in text(charts, "health"))
    eventually(lambda: (trace(charts, "top", "trace 0") or {"x": []})["x"] == [n + 0.5 for n in range(14, 4, -1)])


def test_twenty_rapid_pushes_are_twenty_points_and_nothing_asks_again(server: Server, charts: WebDriver) -> None:
    before, asked = markers(charts), updates(charts)
    for number in range(POINTS):
        post(server.url, "vendor_x", {"k0": {"name": "Beam 0", "price": f"{number}.25"}})
    eventually(lambda: markers(charts) == before + POINTS, what=f"{POINTS} more points")
    eventually(lambda: sum((trace(charts, "kinds", "changed") or {"y": []})["y"]) == POINTS)
    eventually(lambda: sum((trace(charts, "lines", "vendor_x") or {"y": []})["y"]) == 15 + POINTS)
    assert updates(charts) - asked <= 3, "a look at health, and no polling for points"
    assert foreign(charts, server) == []


def test_the_top_list_is_pushed(server: Server, charts: WebDriver) -> None:
    post(server.url, "vendor_x", {"best": {"name": "Best", "price": "99.00"}})
    eventually(lambda: (trace(charts, "top", "trace 0") or {"x": [0]})["x"][:1] == [99])


def test_after_a_lost_line_the_charts_hold_everything_once(server: Server, charts: WebDriver) -> None:
    server.kill()
    eventually(lambda: text(charts, "line").startswith("Not live"))
    server.start()
    post(server.url, "vendor_x", {"k0": {"name": "Beam 0", "price": "7.25"}})
    eventually(lambda: text(charts, "line") == "Live")
    post(server.url, "vendor_x", {"k0": {"name": "Beam 0", "price": "8.25"}})
    eventually(lambda: sum((trace(charts, "kinds", "changed") or {"y": []})["y"]) == 2)
    assert sum((trace(charts, "kinds", "new") or {"y": []})["y"]) == 15


def test_candles_are_drawn_and_go_on_where_they_were(server: Server, charts: WebDriver) -> None:
    info = {"name": "ticks", "aggregate": {"field": "price", "by": "symbol", "windows": ["1m", "5m"]}}
    assert requests.put(f"{server.url}/api/sources/ticks", json=info, timeout=30).ok
    tick(server, "a1", "ALU", "10.00", "2026-11-22T07:00:01Z")
    tick(server, "b1", "TIN", "20.00", "2026-11-22T07:00:02Z")
    charts.refresh()
    eventually(lambda: candle(charts) == [10, 10, 10, 10], what="the first symbol's candle")
    eventually(lambda: text(charts, "line") == "Live")
    tick(server, "a2", "ALU", "12.00", "2026-11-22T07:00:03Z")
    tick(server, "b2", "TIN", "29.00", "2026-11-22T07:00:03Z")
    eventually(lambda: candle(charts) == [10, 12, 10, 12], what="the pushed tick, and only its symbol's")


@pytest.mark.parametrize("on", ["server", "many"])
def test_another_symbol_and_window_are_chosen_and_pushed(
    request: pytest.FixtureRequest, chrome: Chrome, on: str
) -> None:
    server: Server = request.getfixturevalue(on)
    info = {"name": "ticks", "aggregate": {"field": "price", "by": "symbol", "windows": ["1m", "5m"]}}
    assert requests.put(f"{server.url}/api/sources/ticks", json=info, timeout=30).ok
    tick(server, "a1", "ALU", "10.00", "2026-11-22T07:00:01Z")
    tick(server, "b1", "TIN", "20.00", "2026-11-22T07:00:02Z")
    tick(server, "b2", "TIN", "25.00", "2026-11-22T07:03:00Z")
    chrome.get(f"{server.url}/dashboard/")
    eventually(lambda: text(chrome, "line") == "Live", what="the line is there")
    eventually(lambda: candle(chrome) == [10, 10, 10, 10], what="the first symbol's candle")
    choose(chrome, "symbol", "TIN")
    eventually(lambda: candles(chrome) == [[20, 20, 20, 20], [25, 25, 25, 25]], what="two minutes of TIN")
    choose(chrome, "window", "5m")
    eventually(lambda: candle(chrome) == [20, 25, 20, 25], what="the five minutes of TIN")
    tick(server, "a2", "ALU", "99.00", "2026-11-22T07:03:01Z")
    tick(server, "b3", "TIN", "29.00", "2026-11-22T07:03:02Z")
    eventually(lambda: candle(chrome) == [20, 29, 20, 29], what="the pushed tick, and only its symbol's")
    chrome.get("about:blank")


def choose(browser: Chrome, menu: str, option: str) -> None:
    """In one of the menus, as a person does."""
    browser.find_element(By.ID, menu).click()
    found = f"//*[contains(@class, 'dash-dropdown-option')][normalize-space()='{option}']"
    eventually(lambda: browser.find_elements(By.XPATH, found), what=f"{menu} offers {option}")[0].click()


def tick(server: Server, key: str, symbol: str, price: str, at: str) -> None:
    entry = {"key": key, "observed_at": at, "data": {"symbol": symbol, "price": price}}
    batch = {"source": "ticks", "run_id": key, "batch_id": key, "entries": [entry]}
    requests.post(f"{server.url}/api/entries", json=batch, timeout=30).raise_for_status()


def candle(browser: WebDriver) -> list[float] | None:
    """The only candle drawn."""
    drawn = candles(browser)
    return drawn[0] if len(drawn) == 1 else None


def candles(browser: WebDriver) -> list[list[float]]:
    """Open, high, low and close of those that are drawn."""
    found: list[list[float]] = browser.execute_script(
        """
        const trace = document.querySelector("#candles .js-plotly-plot")?._fullData?.[0];
        const parts = [trace?.open, trace?.high, trace?.low, trace?.close];
        return Array.from(trace?.x ?? []).map((_, at) => parts.map(part => part[at]));
        """
    )
    return found


def updates(browser: WebDriver) -> int:
    """How often the page asked the server to draw."""
    count: int = browser.execute_script(
        "return performance.getEntriesByType('resource').filter(e => e.name.includes('_dash-update')).length"
    )
    return count


def foreign(browser: WebDriver, server: Server) -> list[str]:
    """Addresses that the page asked for and that are not this server's."""
    names: list[str] = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
    return [name for name in names if urlsplit(name).netloc not in (urlsplit(server.url).netloc, "")]
