"""Portals without Python: the selectors of `fields:` in schedules.yaml, read through the same Page as any portal."""

from collections.abc import Iterator
from pathlib import Path

import structlog

from ingest_api.contract import Entry
from scrapers.config import Source
from scrapers.errors import ConfigError
from scrapers.page import Page, Row
from scrapers.portal import Portal
from scrapers.rows import Rows
from scrapers.swift import Swift
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
            swift = Swift.of(page, rows)
            for part in page.parts(listing.rows, at_least):
                yield (swift and swift.entry(part)) or rows.entry(Row(page.tree, part, page.url), page.url)
            page = page.next(listing.next) if listing.next else None

    return Portal(source.name, source.start, scrape, "1", source.title, Path(__file__))
