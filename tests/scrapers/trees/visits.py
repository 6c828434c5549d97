"""Visits whose pages are read by one tree, whoever reads them."""

from collections.abc import Callable, Iterable
from typing import Any

from ingest_api.contract import Entry
from scrapers.errors import ScraperError
from scrapers.page import Page
from scrapers.portal import Portal
from scrapers.visit import Visit

Reading = Callable[[Page], Page]


def by_soup(page: Page) -> Page:
    """As BeautifulSoup reads it, however much it is asked to be quick."""
    page.quick = lambda selectors: page  # type: ignore[method-assign]
    return page


def quickly(page: Page) -> Page:
    """By the quick tree, which must be able to."""
    quick = page.quick([])
    assert quick is not page
    return quick


class VisitBy:
    """Another visit, whose pages go through `reading` first."""

    def __init__(self, visit: Visit, reading: Reading) -> None:
        self._visit = visit
        self._reading = reading
        self.pages, self.missed = 0, 0
        self.last: Page | None = None

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        page = self._reading(self._visit(url, wait=wait))
        page._visit = self
        self.last = page
        return page

    def close(self) -> None:
        self._visit.close()


def read(portal: Portal, visit: Visit, reading: Reading) -> tuple[list[Entry], Any]:
    """The outcome of a portal whose pages go through `reading`."""
    return outcome(portal.scrape(VisitBy(visit, reading)))


def outcome(reading: Iterable[Entry]) -> tuple[list[Entry], Any]:
    """The entries, and the error that ended them: its type, message, page and selector."""
    entries: list[Entry] = []
    try:
        for entry in reading:
            entries.append(entry)
    except ScraperError as error:
        return entries, (type(error), error.message, error.page, error.selector)
    return entries, None
