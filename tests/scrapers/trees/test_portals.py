"""Every portal there is a recording of, read by both trees: the same entries, or the same error."""

from pathlib import Path

import pytest

from fixtures.recordings import FOLDER
from scrapers.config import load
from scrapers.fetch.recorded import RecordedVisit
from scrapers.fields import portal_of
from scrapers.portal import Portal, discover
from tests.real_portals import NAMES, real_portal
from tests.scrapers.trees.visits import by_soup, quickly, read

PORTALS = discover()
FEEDS = {"ca9_p"}  # XML, which BeautifulSoup reads in any case

BY_SELECTORS = """
sources:
  vendor_x:
    start: http://127.0.0.1:5050/vendor-x/prices
    fields:
      rows: table.prices tr.item:not(.m)
      key: {attribute: data-sku}
      topic: .group
      url: .name a
      next: a[rel=next]
      fields:
        name: .name
        price: {selector: .price, type: money, decimal: ","}
        per: .per
        valid_from: {selector: .from, type: date, order: DMY}
        available: .avail
        class: {attribute: class}
        none: {selector: .none, optional: true}
"""


@pytest.mark.parametrize("name", PORTALS)
def test_our_portals(name: str) -> None:
    by_both(PORTALS[name], FOLDER / name)


def test_the_same_by_selectors(tmp_path: Path) -> None:
    (tmp_path / "schedules.yaml").write_text(BY_SELECTORS)
    portal = portal_of(load(tmp_path / "schedules.yaml", {}).sources["vendor_x"])
    entries = by_both(portal, FOLDER / "vendor_x")
    by_hand = list(PORTALS["vendor_x"].scrape(RecordedVisit(FOLDER / "vendor_x")))
    assert [(entry.key, entry.url, entry.data["price"], entry.data["valid_from"]) for entry in entries] == [
        (entry.key, entry.url, entry.data["price"], entry.data["valid_from"]) for entry in by_hand
    ]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in FEEDS])
def test_real_portals(name: str, tmp_path: Path) -> None:
    real = real_portal(name, tmp_path)
    assert by_both(real.portal, real.recording)


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_is_left_to_beautiful_soup(name: str, tmp_path: Path) -> None:
    page = real_portal(name, tmp_path).visit()()
    assert page.quick([]) is page


@pytest.mark.parametrize("spoil", ["td", "class", "href", "2026", "<tr", "id"])
@pytest.mark.parametrize("name", PORTALS)
def test_pages_that_lack_something(name: str, spoil: str, tmp_path: Path) -> None:
    """A redesign: the error is the same too."""
    for file in (FOLDER / name).iterdir():
        content = file.read_bytes()
        spoilt = content if file.suffix == ".json" else content.replace(spoil.encode(), b"x" + spoil.encode())
        (tmp_path / file.name).write_bytes(spoilt)
    by_both(PORTALS[name], tmp_path, may_fail=True)


def by_both(portal: Portal, recording: Path, *, may_fail: bool = False) -> list[object]:
    quick, error = read(portal, RecordedVisit(recording), quickly)
    assert (quick, error) == read(portal, RecordedVisit(recording), by_soup)
    assert may_fail or not error
    return list(quick)
