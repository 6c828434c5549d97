"""Recordings: what one visit keeps, another serves."""

import json
from pathlib import Path

import pytest

from scrapers.errors import FetchFailed, LoginWall, PortalError
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Politeness
from scrapers.fetch.recorded import INDEX, RecordedVisit, RecordingVisit
from tests.scrapers.web import html


def walk(visit):
    """Every page's heading, as a scraper would go through them."""
    page, seen = visit(), []
    while page:
        seen.append((page.text("h1"), page.url, page.fetched_at))
        page = page.next("a[rel=next]")
    return seen


def test_a_recording_serves_what_was_seen(web, tmp_path):
    web.pages["/old"] = lambda request: request.send(status=301, Location="/1")
    web.pages["/1"] = html("<h1>Größe</h1><a rel=next href='/2?b=1&amp;a=2#x'>next</a>")
    web.pages["/2?b=1&a=2"] = lambda request: request.send(
        "<h1>zwei “2”</h1>".encode("cp1252"), Content_Type="text/html; charset=windows-1252"
    )
    live = HttpVisit("shop", f"{web.url}/old", tmp_path / "var", politeness=Politeness(pace=0))
    recording = RecordingVisit(live, tmp_path / "kept")
    seen = walk(recording)
    assert (recording.pages, recording.missed) == (2, 0)
    recording.close()

    recorded = RecordedVisit(tmp_path / "kept")
    assert walk(recorded) == seen
    assert [heading for heading, _, _ in seen] == ["Größe", "zwei “2”"]
    assert recorded.pages == 2
    recorded.close()


def recording(folder: Path, *records: dict, **files: str) -> RecordedVisit:
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / INDEX).write_text(json.dumps(records))
    return RecordedVisit(folder)


def test_an_address_visited_again_gives_its_next_page(tmp_path):
    url = "https://shop.example/"
    visit = recording(tmp_path, {"url": url, "file": "a"}, {"url": url, "file": "b"}, a="<p>one", b="<p>two")
    assert [visit().text("p") for _ in range(3)] == ["one", "two", "two"]


def test_what_is_not_recorded_does_not_come(tmp_path):
    visit = recording(tmp_path, {"url": "https://shop.example/", "file": "a"}, a="<p>one")
    visit()
    with pytest.raises(FetchFailed, match="not in the recording") as caught:
        visit("more")
    assert caught.value.page == "https://shop.example/more"
    assert (visit.pages, visit.missed) == (1, 1)


def test_what_was_no_good_page_is_none_now(tmp_path):
    login = "<h1>Login</h1><input type=password>"
    visit = recording(
        tmp_path,
        {"url": "https://shop.example/", "file": "a"},
        {"url": "https://shop.example/b", "file": "a", "status": 503},
        a=login,
    )
    with pytest.raises(LoginWall):
        visit()
    with pytest.raises(FetchFailed, match="503"):
        visit("b")


@pytest.mark.parametrize("text", [None, "{", "{}", "[]", '[{"url": "https://shop.example/"}]'])
def test_a_folder_that_is_no_recording_says_so(tmp_path, text):
    if text is not None:
        (tmp_path / INDEX).write_text(text)
    with pytest.raises(PortalError, match=r"recording|list of objects"):
        RecordedVisit(tmp_path)
