"""The room beside the entries: two readers, two browsers, one server."""

from collections.abc import Iterator
from itertools import count

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from tests.conftest import Server
from tests.end_to_end.conftest import open_browser
from tests.end_to_end.reading import Reading
from tests.end_to_end.vendor import beam, configure
from tests.sending import post
from tests.tokens import deliver, locked, token  # noqa: F401

HOSTILE = "<img src=x onerror='window.hurt = true'>"
_numbers = count(1)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """Another reader's browser."""
    driver = open_browser(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()


@pytest.fixture
def source(module_server: Server) -> str:
    """A source that no other test has, with three entries."""
    source = f"vendor_{next(_numbers)}"
    configure(module_server, source)
    post(module_server.url, source, {f"SKU-{n}": beam(f"{n}.00", f"Beam {n}") for n in range(1, 4)}, complete=True)
    return source


@pytest.fixture
def page(chrome: Chrome, module_server: Server) -> Reading:
    return Reading(chrome, module_server.url)


@pytest.fixture
def other(second: Chrome, module_server: Server) -> Iterator[Reading]:
    yield Reading(second, module_server.url)
    second.get("about:blank")


def enter(page: Reading, source: str, name: str) -> None:
    """Opens the room of the source and says a name."""
    page.open(f"#/live/{source}")
    page.press("r")
    page.click("#name")
    page.press(name + Keys.ENTER)
    page.wait(lambda: page.text("#room-people").startswith("you"), f"{name} is here")
    assert f"You are here as {name}." in page.text("#room-me")


def write(page: Reading, text: str) -> None:
    page.click("#note")
    page.press(text + Keys.ENTER)
    page.wait(lambda: page.js("return document.querySelector('#note').value") == "", "the note is taken")


def said(page: Reading) -> list[str]:
    found: list[str] = page.js("return [...document.querySelectorAll('#notes .said')].map((p) => p.textContent)")
    return found


def test_two_readers_see_each_other_and_exchange_notes(page: Reading, other: Reading, source: str) -> None:
    enter(page, source, "metals desk")
    assert page.text("#room-members") == "1 here"
    other.open(f"#/live/{source}")
    other.wait(lambda: other.text("#room-count") == "1 here", "a listener sees who is there and is not counted")
    enter(other, source, "night ops")
    page.wait(lambda: page.text("#room-people") == "you, night ops", "the first sees the second")
    other.wait(lambda: other.text("#room-people") == "you, metals desk", "the second sees the first")
    assert page.text("#room-count") == "2 here"
    write(page, "Steel moved twice.")
    other.wait(lambda: said(other) == ["Steel moved twice."], "the note has come")
    other.press("r")  # in the field, it is a letter
    other.escape()
    assert other.js("return document.querySelector('#room').hidden")
    write(page, "I would wait.")
    other.wait(lambda: other.text("#room-count") == "1 note", "what came since is not read")
    other.resize(390)
    other.wait(lambda: other.text("#room-thumb-count") == "1", "by the thumb as well")
    other.click("#room-thumb")
    other.wait(lambda: other.text("#room-thumb-count") == "", "now it is read")
    assert said(other) == ["Steel moved twice.", "I would wait."]
    other.chrome.get("about:blank")
    page.wait(lambda: page.text("#room-people") == "you", "who closes the page has left")


def test_name_and_notes_are_there_after_a_reload(page: Reading, source: str) -> None:
    enter(page, source, "tenders")
    write(page, "Valid until Friday only.")
    page.chrome.refresh()
    page.wait(lambda: page.line == "live", "the page is live")
    page.press("r")
    page.wait(lambda: said(page) == ["Valid until Friday only."], "the note is there again, once")
    page.wait(lambda: page.text("#room-people") == "you", "by the same name")
    page.click("#room-me button")
    page.press(Keys.CONTROL + "a")
    page.press("lorry desk" + Keys.ENTER)
    page.wait(lambda: "as lorry desk." in page.text("#room-me") and page.text("#room-people") == "you", "by another")
    assert page.line == "live"
    page.click("#room-me button")
    page.press(Keys.CONTROL + "a")
    page.press(Keys.DELETE + Keys.ENTER)
    page.wait(lambda: page.text("#room-members") == "0 here", "without a name one only listens")
    assert page.js("return document.querySelector('#compose').hidden")


def test_a_key_in_a_note_opens_the_entry(page: Reading, source: str) -> None:
    enter(page, source, "tenders")
    page.go(f"#/live/{source}/-/SKU-2")
    page.wait(lambda: "1 version" in page.text("#panel"), "the entry is open")
    assert page.js("return document.querySelector('#room').hidden"), "there is space for one"
    page.click("#panel footer button")
    assert page.js("return document.activeElement.value") == "SKU-2: "
    page.press("dearer than SKU-3, not SKU-9." + Keys.ENTER)
    page.wait(lambda: said(page) == ["SKU-2: dearer than SKU-3, not SKU-9."], "the note is there")
    links = "return [...document.querySelectorAll('#notes a')].map((a) => a.textContent)"
    assert page.js(links) == ["SKU-2", "SKU-3"]
    page.click("#notes a:nth-of-type(2)")
    page.wait(lambda: "1 version" in page.text("#panel"), "the entry is open")
    assert page.js("return document.activeElement.textContent") == "Beam 3"
    page.escape()
    page.resize(1920)
    page.press("r")
    page.click("#notes a")
    page.wait(lambda: page.text("#panel h2") == "Beam 2", "the entry is open")
    assert not page.js("return document.querySelector('#room').hidden"), "there is space for both"


def test_hostile_words_stay_words(page: Reading, source: str) -> None:
    post(page.url, source, {HOSTILE: beam("1.00")})
    enter(page, source, HOSTILE)
    write(page, f"{HOSTILE} and {HOSTILE}")
    page.wait(lambda: said(page) == [f"{HOSTILE} and {HOSTILE}"], "the note is there")
    assert page.js("return document.querySelectorAll('#notes a').length") == 2, "it is the key of an entry"
    page.go("#/live")
    page.wait(lambda: "Every room" in page.text("#room-title"), "all rooms are shown")
    assert HOSTILE in page.text("#notes")
    assert page.js("return document.querySelectorAll('img').length") == 0
    assert page.js("return window.hurt ?? null") is None


def test_a_note_goes_to_the_room_that_is_chosen(page: Reading, other: Reading, source: str) -> None:
    post(page.url, f"{source}_b", {"B-1": beam("1.00")})
    enter(page, source, "tenders")
    enter(other, f"{source}_b", "night ops")
    page.go("#/live")
    page.wait(lambda: page.js("return document.querySelector('#note-room').checkVisibility()"), "one can choose")
    page.js("document.querySelector('#note-room').value = arguments[0]", f"{source}_b")
    write(page, "To the other room.")
    other.wait(lambda: said(other) == ["To the other room."], "it has come there")
    page.go(f"#/live/{source}")
    page.wait(lambda: said(page) == [], "and not here")
    write(other, "Read it.")
    page.wait(lambda: f"1 note in {source}_b" in page.text("#room-elsewhere"), "it says where something is to be read")


def test_what_is_not_taken_is_told_and_kept(page: Reading, source: str) -> None:
    enter(page, source, "tenders")
    page.js("document.querySelector('#note').value = 'x'.repeat(2001)")
    page.click("#compose button")
    page.wait(lambda: "at most 2,000 characters, this one 2,001" in page.text("#room-fault"), "it says why")
    assert len(page.js("return document.querySelector('#note').value")) == 2001


def test_with_a_token_the_name_is_its_own(chrome: Chrome, locked: Server) -> None:  # noqa: F811
    deliver(locked, "vendor_x", {"SKU-1": beam("1.00")}).raise_for_status()
    page = Reading(chrome, locked.url)
    page.arrive("#/live/vendor_x")
    page.wait(lambda: page.js("return document.querySelector('#sign-in').open"), "it asks for a token")
    page.js("document.querySelector('#sign-in-token').value = arguments[0]", token("*", sub="alice"))
    page.click("#sign-in-form button")
    page.wait(lambda: page.line == "live", "the page is live")
    page.press("r")
    page.wait(lambda: page.text("#room-people") == "you", "she is here")
    assert page.text("#room-me").strip() == "You are here as alice."
    for number in range(20):
        page.js("document.querySelector('#note').value = arguments[0]", f"note {number}")
        page.js("document.querySelector('#compose').requestSubmit()")
    page.wait(lambda: "too much at once. Send it again in" in page.text("#room-fault"), "it says how long to wait")
    assert page.js("return document.querySelector('#note').value") == "note 19"


def test_the_clock_is_the_servers(chrome: Chrome, server: Server) -> None:
    configure(server)
    page = Reading(chrome, server.url).open()
    first = page.wait(lambda: page.text("#clock").replace("-", "").strip(":"), "the clock is there")
    page.wait(lambda: page.text("#clock") not in (first, "--:--:--"), "it ticks")
    enter(page, "vendor_x", "tenders")
    server.kill()
    page.wait(lambda: page.line == "lost", "the line is lost")
    assert page.text("#clock") == "--:--:--"
    page.wait(lambda: "not known" in page.text("#room-members"), "nobody claims to know who is here")
    page.click("#note")
    page.press("Hello" + Keys.ENTER)
    page.wait(lambda: "not live" in page.text("#room-fault"), "it says why it is not sent")
    assert page.js("return document.querySelector('#note').value") == "Hello"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_room(page: Reading, source: str, scheme: str) -> None:
    enter(page, source, "tenders")
    write(page, "SKU-1: see SKU-2.")
    page.theme(scheme)
    found = []
    for width in (1440, 390):
        page.resize(width)
        for hash in (f"#/live/{source}", "#/live"):
            page.go(hash)
            page.wait(lambda: len(said(page)) > 0, "the room is open")
            found += [f"{width}, {hash}: {violation}" for violation in page.violations()]
        page.click("#room-me button")
        found += [f"{width}, name: {violation}" for violation in page.violations()]
        page.press(Keys.ENTER)
    assert found == []
