"""Portals without Python: the selectors of `fields:` in schedules.yaml, read through the same Page as any portal."""

from collections.abc import Iterator
from pathlib import Path

import structlog

from ingest_api.contract import Entry
from scrapers.config import Source
from scrapers.errors import ConfigError
from scrapers.page import Page
from scrapers.portal import Portal
from scrapers.rows import Rows
from scrapers.swift import swiftly
from scrapers.trees import compiles
from scrapers.visit import Visit

log = structlog.get_logger()


def portal_of(source: Source) -> Portal:
    """The portal that `source.fields` describe. Raises ConfigError when there are none, or no start."""
    listing = source.fields
    if listing is None or source.start is None:
        raise ConfigError([f"{source.name}: fields and start are missing"])
    at_least = min(1, source.expect.at_least)
    rows = Rows(listing)
    is_plain = all(map(compiles, rows.selectors))
    if not is_plain:
        log.debug("selectors left to BeautifulSoup", source=source.name)

    def scrape(visit: Visit) -> Iterator[Entry]:
        page: Page | None = visit()
        while page:
            page = page.quick(rows.selectors) if is_plain else page
            yield from read(page, rows, at_least)
            page = page.next(listing.next) if listing.next else None

    return Portal(source.name, source.start, scrape, "1", source.title, Path(__file__))


def read(page: Page, rows: Rows, at_least: int = 0) -> Iterator[Entry]:
    """The entries of a page. Raises SelectorFailed, Unreadable."""
    parts = page.parts(rows.selector, at_least)
    entries = swiftly(page, parts, rows)
    if entries is not None:
        yield from entries
    else:
        for part in parts:
            yield rows.entry(page.row(part))
