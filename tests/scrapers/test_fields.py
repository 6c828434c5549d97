"""Portals without Python: every type of field, and failures that name page and selector."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest_api.contract import Entry
from scrapers.config import Source, load
from scrapers.errors import ConfigError, SelectorFailed
from scrapers.fields import portal_of
from scrapers.page import Page

PAGE = """<h1>Opinions</h1><table>
<tr id=a1><td><a href="/o/1" title="First">One v. Two</a><td class=d>11/03/2026<td class=f>$1,250.00<td class=n>3</tr>
<tr id=a2><td><a href="/o/2" title="Second">Three v. Four</a><td class=d>11/04/2026<td class=f><td class=n>1,204</tr>
</table>"""

LISTING = """
sources:
  court:
    start: https://court.example/opinions
    fields:
      rows: tr
      key: {attribute: id}
      topic: {selector: a, attribute: title}
      url: a
      fields:
        title: a
        decided: {selector: .d, type: date, order: MDY}
        fee: {selector: .f, type: money, decimal: ".", optional: true}
        pages: {selector: .n, type: number, decimal: "."}
        pdf: {selector: a, type: link}
        note: {selector: .nowhere, optional: true}
"""


class OnePage:
    """A visit that holds one page."""

    def __init__(self, body: str) -> None:
        self.pages, self.missed = 0, 0
        self.last: Page | None = None
        self._body = body

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        self.pages += 1
        page = Page(self._body.encode(), "https://court.example/opinions", datetime.now(UTC), self, "text/html")
        self.last = page
        return page

    def close(self) -> None:
        """Nothing is open."""


def source(tmp_path: Path, text: str = LISTING) -> Source:
    path = tmp_path / "schedules.yaml"
    path.write_text(text)
    return load(path, {}).sources["court"]


def entries(tmp_path: Path, text: str = LISTING, page: str = PAGE) -> list[Entry]:
    return list(portal_of(source(tmp_path, text)).scrape(OnePage(page)))


def test_every_type(tmp_path: Path) -> None:
    first, second = entries(tmp_path)
    assert (first.key, first.topic, first.url) == ("a1", "First", "https://court.example/o/1")
    assert first.data == {
        "title": "One v. Two",
        "decided": date(2026, 11, 3),
        "fee": Decimal("1250.00"),
        "pages": 3,
        "pdf": "https://court.example/o/1",
    }
    assert "fee" not in second.data
    assert second.data["pages"] == 1204


def test_an_optional_link_may_hold_a_picture(tmp_path: Path) -> None:
    text = LISTING.replace("pdf: {selector: a, type: link}", "pdf: {selector: .p a, type: link, optional: true}")
    text = text.replace(": a\n", ": '[title]'\n").replace("selector: a,", "selector: '[title]',")
    page = PAGE.replace("<td class=f>$", '<td class=p><a href="/1.pdf"><img src=/pdf.png></a><td class=f>$')
    first, second = entries(tmp_path, text, page)
    assert first.data["pdf"] == "https://court.example/1.pdf"
    assert "pdf" not in second.data


@pytest.mark.parametrize(
    ("old", "new", "selector"),
    [
        ("title: a", "title: h2", "h2"),
        ("order: MDY", "format: '%d %B %Y'", ".d"),
        (", optional: true}\n        pages", "}\n        pages", ".f"),
        ("key: {attribute: id}", "key: {attribute: data-id}", None),
        ("rows: tr", "rows: li", "li"),
    ],
)
def test_a_failure_names_page_and_selector(tmp_path: Path, old: str, new: str, selector: Any) -> None:
    assert old in LISTING
    with pytest.raises(SelectorFailed) as caught:
        entries(tmp_path, LISTING.replace(old, new))
    assert caught.value.page == "https://court.example/opinions"
    assert caught.value.selector == selector


def test_an_empty_listing_may_be_expected(tmp_path: Path) -> None:
    empty = "<h1>Opinions</h1><p>There are no opinions today."
    assert entries(tmp_path, LISTING + "    expect: {at_least: 0}\n", empty) == []


def test_a_source_without_fields_has_no_such_portal() -> None:
    with pytest.raises(ConfigError, match="fields and start are missing"):
        portal_of(Source(name="court"))
