"""`fields:` on pages as they come: both trees give the same entries, or the same error."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as some

from scrapers.config import Source
from scrapers.fields import portal_of
from scrapers.page import Page
from tests.scrapers.trees import markup as html
from tests.scrapers.trees.visits import by_soup, read

URL = "https://shop.example/list"

selectors = some.sampled_from(
    [".name", ".price", ".date", ".stock", ".x", "td", "td:first-child", "td a", ".name > a", "td:nth-of-type(2)", "b"]
)
attributes = some.none() | some.sampled_from(["href", "class", "id", "data-row"])
types = some.sampled_from(["text", "text", "money", "number", "date", "link"])
sensible = some.sampled_from(
    [
        {"selector": ".name"},
        {"selector": ".name", "optional": True},
        {"selector": ".price", "type": "money", "decimal": ",", "optional": True},
        {"selector": ".date", "type": "date", "order": "DMY", "optional": True},
        {"selector": "td.stock", "type": "number", "optional": True},
        {"selector": ".name a", "type": "link", "optional": True},
        {"selector": ".price a", "type": "link", "attribute": "title", "optional": True},
    ]
)
wild = some.fixed_dictionaries(
    {"selector": selectors | some.none(), "type": types},
    optional={
        "attribute": attributes,
        "optional": some.booleans(),
        "order": some.sampled_from(["DMY", "MDY"]),
        "decimal": some.sampled_from([".", ","]),
    },
)
fields = some.one_of(sensible, sensible, sensible, wild)
rows = ["tr[data-row]", "tr[data-row]", "tr:has(> .name)", "table.list tr", "tr", "tr, .nowhere", "tr:not(:has(b))"]
key = {"attribute": "data-row"}
listings = some.fixed_dictionaries(
    {
        "rows": some.sampled_from(rows),
        "key": some.one_of(some.just(key), some.just(key), some.just({"attribute": "id"}), fields),
        "fields": some.dictionaries(some.sampled_from("abcd"), fields, min_size=1),
    },
    optional={"topic": wild, "url": selectors | fields, "next": some.sampled_from(["a[rel=next]", ".next", "a"])},
)


class Pages:
    """A visit whose second page is the last."""

    def __init__(self, body: str) -> None:
        self.pages, self.missed = 0, 0
        self.last: Page | None = None
        self._body = body.encode("utf-8", "replace")

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        body = b"<p>the end" if url else self._body
        return Page(body, url or URL, datetime.now(UTC), self, "text/html; charset=utf-8")

    def close(self) -> None:
        """Nothing is open."""


@settings(deadline=None, max_examples=200)
@given(html.tables, listings)
def test_the_same_entries_or_the_same_error(body: str, listing: dict[str, Any]) -> None:
    source = msgspec.convert({"name": "shop", "start": URL, "fields": listing}, Source)
    portal = portal_of(source)
    assert read(portal, Pages(body), lambda page: page) == read(portal, Pages(body), by_soup)
