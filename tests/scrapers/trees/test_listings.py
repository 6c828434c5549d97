"""Every recorded page as many listings, and each read in three ways: all rows at once, row by row, and row by row by
BeautifulSoup. The same entries; or the same error after the same entries."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fixtures.recordings import FOLDER
from scrapers import fields
from scrapers.config import Listing
from scrapers.page import Page
from scrapers.portal import discover
from scrapers.rows import Rows
from scrapers.swift import swiftly
from tests.real_portals import NAMES, real_portal
from tests.scrapers.trees.visits import outcome

PORTALS = discover()
FEEDS = {"ca9_p"}  # XML, which BeautifulSoup reads in any case
ROWS = ("tr", "tr:has(a)", "table tr + tr", "td:first-child", "li", "div", "p, dd", "a[href]", "td > *:not(a)")
FIELDS: dict[str, Any] = {
    "text": {},
    "class": {"attribute": "class"},
    "link": {"selector": "a", "type": "link"},
    "title": {"selector": "a", "attribute": "title"},
    "first": {"selector": "td:first-child"},
    "inner": {"selector": ":scope > *"},
    "bold": {"selector": "b, strong"},
    "amount": {"selector": "td + td", "type": "money", "decimal": "."},
    "day": {"selector": ".date, .from", "type": "date", "order": "MDY"},
    "count": {"type": "number"},
}
VENDOR_X = {
    "rows": "table.prices tr.item:not(.m)",
    "key": {"attribute": "data-sku"},
    "topic": ".group",
    "url": ".name a",
    "fields": {
        "name": ".name",
        "price": {"selector": ".price", "type": "money", "decimal": ","},
        "valid_from": {"selector": ".from", "type": "date", "order": "DMY"},
        "none": {"selector": ".none", "optional": True},
    },
}


def listings() -> Iterator[dict[str, Any]]:
    for rows in ROWS:
        key = {"attribute": "href"} if rows.startswith("a") else {}
        lenient = {name: field | {"optional": True} for name, field in FIELDS.items()}
        yield {"rows": rows, "key": key, "fields": lenient}
        for name, field in FIELDS.items():
            yield {"rows": rows, "key": key, "fields": {name: field}}
            yield {"rows": rows, "key": key, "fields": {name: lenient[name]}, "topic": field}
        yield {"rows": rows, "key": {"attribute": "id"}, "fields": {}, "url": "a"}


def pages(recording: Path, spoil: bytes | None = None) -> Iterator[Page]:
    """A recording's pages, perhaps spoilt: an x before every `spoil`."""
    for record in json.loads((recording / "index.json").read_text("utf-8")):
        body = (recording / record["file"]).read_bytes()
        body = body.replace(spoil, b"x" + spoil) if spoil else body
        yield Page(body, record["url"], datetime.now(UTC), content_type=record.get("content_type"))


def three_ways(page: Page, listing: dict[str, Any]) -> tuple[int, bool, Any]:
    """How many entries there are, whether all rows were read at once, and the error."""
    rows = Rows(msgspec.convert(listing, Listing))
    quick = page.quick(rows.selectors)
    assert quick is not page
    entries, error = outcome(fields.read(page, rows))
    assert outcome(fields.read(quick, rows)) == (entries, error), listing
    parts = quick.parts(rows.selector)
    assert outcome(rows.entry(quick.row(part)) for part in parts) == (entries, error)
    at_once = swiftly(quick, parts, rows)
    assert at_once in (None, entries), listing
    return len(entries), at_once is not None, error


def every_listing(recording: Path) -> None:
    found = [three_ways(page, listing) for page in pages(recording) for listing in listings()]
    assert any(entries > 2 and at_once for entries, at_once, _ in found)
    assert any(entries and error for entries, _, error in found), "no listing fails on its way"


@pytest.mark.parametrize("name", PORTALS)
def test_our_recordings(name: str) -> None:
    every_listing(FOLDER / name)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FEEDS])
def test_recordings_of_real_portals(name: str, tmp_path: Path) -> None:
    every_listing(real_portal(name, tmp_path).recording)


def test_the_right_listing_is_read_at_once() -> None:
    for page in pages(FOLDER / "vendor_x"):
        entries, at_once, error = three_ways(page, VENDOR_X)
        assert (entries > 0, at_once, error) == (True, True, None)


@pytest.mark.parametrize("spoil", [b'"name"', b'"price"', b"href", b"2026", b"data-sku", b"<td", b"<a", b",", b"</tr"])
def test_pages_that_changed(spoil: bytes) -> None:
    for page in pages(FOLDER / "vendor_x", spoil):
        three_ways(page, VENDOR_X)
