"""What a reader sees and does on the page, in a real browser, on a real server."""

from collections.abc import Iterator
from itertools import count

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from tests.conftest import Server
from tests.end_to_end.reading import Reading
from tests.end_to_end.vendor import beam, configure
from tests.sending import post

HOSTILE = "<img src=x onerror='window.hurt = true'>"
_numbers = count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of these: each test has a source of its own."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def source() -> str:
    """A source that no other test has."""
    return f"vendor_{next(_numbers)}"


@pytest.fixture
def page(chrome: Chrome, server: Server) -> Reading:
    return Reading(chrome, server.url)


def test_new_changed_and_removed_rows_are_marked(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    post(server.url, source, {f"SKU-{n}": beam(f"{n}.00", f"Beam {n}") for n in range(1, 5)}, complete=True)
    page.open(f"#/live/{source}")
    assert [row["unread"] for row in page.rows] == [False] * 4
    rest = {f"SKU-{n}": beam(f"{n}.00", f"Beam {n}") for n in (1, 2)}
    post(
        server.url,
        source,
        {**rest, "SKU-3": beam("3.30", "Beam 3"), "SKU-5": beam("5.00", "Beam 5")},
        complete=True,
    )
    page.wait(lambda: page.row(f"{source}/SKU-4").get("kind") == "removed", "SKU-4 is removed")
    rows = {row["id"].split("/")[1]: row for row in page.rows}
    assert {key: rows[key]["kind"] for key in ("SKU-3", "SKU-4", "SKU-5")} == {
        "SKU-3": "changed",
        "SKU-4": "removed",
        "SKU-5": "new",
    }
    assert {key for key, row in rows.items() if row["unread"]} == {"SKU-3", "SKU-4", "SKU-5"}
    assert rows["SKU-4"]["struck"] == "line-through"
    assert "was 3.00 → now 3.30" in " ".join(rows["SKU-3"]["text"].split())
    page.wait(lambda: "3 unread" in page.text("#news"), "they are counted")
    assert page.js("return document.title").startswith("(3)")
    page.press("m")
    page.wait(lambda: "Nothing unread" in page.text("#news"), "all is read")
    post(server.url, source, {"SKU-4": beam("4.40", "Beam 4")})
    page.wait(lambda: page.row(f"{source}/SKU-4").get("kind") == "new", "SKU-4 came back")
    assert page.row(f"{source}/SKU-4")["struck"] == "none"


def test_hostile_text_stays_text(page: Reading, server: Server, source: str) -> None:
    configure(server, source, title=HOSTILE, expect=HOSTILE)
    entry = {"name": HOSTILE, "price": HOSTILE, "<b>field</b>": HOSTILE}
    post(server.url, source, {HOSTILE: (HOSTILE, entry)})
    page.open(f"#/live/{source}")
    page.wait(lambda: page.names == [HOSTILE], "the entry is there")
    page.click("#rows .open")
    page.wait(lambda: "first seen" in page.text("#panel .history"), "its history is there")
    page.go(f"#/health/{source}")
    page.wait(lambda: HOSTILE in page.text("#panel h2"), "the source is open")
    assert page.js("return document.querySelectorAll('img').length") == 0
    assert page.js("return window.hurt ?? null") is None


def test_an_entry_opens_with_its_history_as_a_diff(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    for price in ("500.00", "510.00", "505.50"):
        post(server.url, source, {"A/1 #2": ("steel", beam(price))})
    page.open(f"#/live/{source}/-/" + "A%2F1%20%232")
    page.wait(lambda: "3 versions" in page.text("#panel"), "the address opened the entry")
    assert page.text("#panel .diff .was").endswith("510.00 EUR")
    assert "505.50 EUR" in page.text("#panel .diff .now")
    assert page.js("return document.querySelector('#panel .trend').getAttribute('aria-label')").startswith(
        "From 500.00 EUR to 505.50"
    )
    post(server.url, source, {"A/1 #2": ("steel", beam("600.00"))})
    page.wait(lambda: "4 versions" in page.text("#panel"), "the panel follows")
    page.escape()
    assert page.js("return location.hash") == f"#/live/{source}"
    assert not page.text("#panel")


def test_filter_and_sort(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    prices = {"SKU-1": "9.50", "SKU-2": "100.00", "SKU-3": "20.00"}
    post(server.url, source, {key: beam(price, f"Beam {key}") for key, price in prices.items()})
    post(server.url, source, {"ROD-1": beam("1.00", "Rod")})
    page.open(f"#/live/{source}")
    page.press("/")
    page.press("beam")
    page.wait(lambda: len(page.rows) == 3, "only what matches is shown")
    page.wait(lambda: "3 of 4 entries match" in page.text("#tally"), "it says how many match")
    page.click("#head [data-field=price]")
    order = [f"{source}/SKU-2", f"{source}/SKU-3", f"{source}/SKU-1"]
    assert [row["id"] for row in page.rows] == order
    post(server.url, source, {"SKU-1": beam("500.00", "Beam SKU-1")})
    page.wait(lambda: "500.00" in page.row(f"{source}/SKU-1")["text"], "the row is replaced where it is")
    assert [row["id"] for row in page.rows] == order
    page.click("#tally button")
    page.wait(lambda: page.rows[0]["id"] == f"{source}/SKU-1", "newest first again")
    page.press("/")
    page.press(Keys.CONTROL + "a")
    page.press("girder")
    page.wait(lambda: f"Nothing in {source} matches" in page.text("#blank"), "it says that nothing matches")


def test_reading_is_sacred(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    post(server.url, source, {f"SKU-{n:03}": beam("1.00", f"Beam {n:03}") for n in range(200)})
    page.open(f"#/live/{source}")
    page.js("document.querySelector('#stream').scrollTop = 1000")
    page.wait(lambda: "Beam 199" not in page.names, "other rows are in sight")
    before = page.names
    post(server.url, source, {"SKU-500": beam("5.00", "Plate")})
    page.wait(lambda: "1 new" in page.text("#pill"), "the arrival waits")
    assert page.names == before
    page.click("#pill")
    page.wait(lambda: page.names[0] == "Plate", "it is let in")
    assert page.js("return document.querySelector('#pill').hidden")


def test_the_keyboard_is_enough(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    post(server.url, source, {f"SKU-{n:03}": beam("1.00", f"Beam {n:03}") for n in range(120)})
    page.open(f"#/live/{source}")
    focused = "return document.activeElement.closest('tr')?.dataset.id ?? ''"
    first, *_, last = [row["id"] for row in page.rows]
    page.press("j")
    assert page.js(focused) == first
    for _ in range(60):
        page.press("j")
    assert page.js(focused) not in ("", first, last)
    page.press(Keys.ENTER)
    page.wait(lambda: page.text("#panel h2") != "", "the entry is open")
    assert page.js("return document.activeElement.tagName") == "H2"
    page.escape()
    assert page.js(focused).startswith(f"{source}/SKU-")
    page.escape()
    assert page.js("return document.querySelector('#stream').scrollTop") == 0
    page.press("2")
    page.wait(lambda: "fresh" in page.text("#health-claim"), "the health view is open")
    page.press("t")
    assert page.js("return document.documentElement.dataset.theme") == "dark"


def test_a_held_batch_is_approved_by_hand(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    post(server.url, source, {f"SKU-{n}": beam("1.00", f"Beam {n}") for n in range(10)}, complete=True)
    page.open(f"#/live/{source}")
    post(server.url, source, {"SKU-0": beam("1.00", "Beam 0")}, complete=True)
    page.wait(lambda: "suspect" in page.claim, "the source is suspect")
    assert all(row["kind"] != "removed" for row in page.rows)
    page.wait(lambda: page.text("#caveat button") == "Review the batch", "the way on is there")
    page.click("#caveat button")
    page.wait(lambda: "9 missing" in page.text("#panel"), "the batch is open")
    page.click("#panel footer button:nth-of-type(2)")
    assert page.js("return document.activeElement.textContent") == "Keep them"
    post(server.url, source, {"SKU-0": beam("1.00", "Beam 0")}, complete=True)  # runs go on meanwhile
    page.click("#panel footer button")
    page.wait(lambda: [row["kind"] for row in page.rows].count("removed") == 9, "nine are removed")
    page.wait(lambda: "suspect" not in page.claim, "the source is trusted again")


def test_when_another_run_is_held_in_its_place_that_one_is_shown(page: Reading, server: Server, source: str) -> None:
    configure(server, source)
    stock = {f"SKU-{n}": beam("1.00", f"Beam {n}") for n in range(10)}
    post(server.url, source, stock, complete=True)
    post(server.url, source, {key: stock[key] for key in ("SKU-0", "SKU-1", "SKU-2", "SKU-3")}, complete=True)
    page.open(f"#/health/{source}/held")
    page.wait(lambda: "6 missing" in page.text("#panel"), "the batch is open")
    post(server.url, source, {key: stock[key] for key in ("SKU-7", "SKU-8", "SKU-9")}, complete=True)
    page.click("#panel footer button")  # discard
    page.wait(lambda: "7 missing" in page.text("#panel"), "the batch in its place is open")
    post(server.url, source, {"SKU-9": stock["SKU-9"]}, complete=True)
    page.go(f"#/health/{source}")
    page.go(f"#/health/{source}/held")
    page.wait(lambda: "what all of them missed" in page.text("#panel"), "it says what would go")
    assert "7 missing" in page.text("#panel")


JUMPS = """
const stream = document.querySelector("#stream");
const start = performance.now();
for (let i = 1; i <= 20; i++) {
  stream.scrollTop = (i * 0.381966 % 1) * stream.scrollHeight;
  stream.dispatchEvent(new Event("scroll"));
}
return (performance.now() - start) / 20;  // ms a jump
"""


def test_ten_thousand_rows_are_smooth(page: Reading, server: Server, source: str) -> None:
    small = f"{source}_small"
    configure(server, source)
    configure(server, small)
    for start in range(0, 10_000, 2_500):
        entries = {f"SKU-{n:05}": beam(f"{n}.00", f"Beam {n:05}") for n in range(start, start + 2_500)}
        post(server.url, source, entries)
    page.open(f"#/live/{source}")
    page.wait(lambda: "10,000 entries" in page.text("#tally"), "all are there")
    assert 20 < len(page.rows) < 100
    page.js("document.querySelector('#stream').scrollTop = 1e9")
    page.wait(lambda: "Beam 00000" in page.names, "the oldest is at the end")
    assert 20 < len(page.rows) < 100
    post(server.url, small, {f"S-{n}": beam("1.00", f"Plate {n}") for n in range(300)})
    at_ten_thousand = page.js(JUMPS)
    page.go(f"#/live/{small}")
    page.wait(lambda: "300 entries" in page.text("#tally"), "the small room is shown")
    at_three_hundred = page.js(JUMPS)
    assert at_ten_thousand < 3 * at_three_hundred + 5, "a jump takes as long in a long table as in a short one"
    page.go(f"#/live/{source}")
    page.wait(lambda: "10,000 entries" in page.text("#tally"), "all are there again")
    assert page.js("return document.querySelector('#entries').getAttribute('aria-rowcount')") == "10001"
