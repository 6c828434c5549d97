"""A visit to a portal: what a scraper's function is given, however the pages come."""

from typing import Protocol

from scrapers.page import Page


class Visit(Protocol):
    """Called with an address it returns the page; called without, the start page.

    `pages` counts what was fetched, `missed` what was asked for and did not come; `last` is the newest page, and
    relative addresses are read against it.
    """

    @property
    def pages(self) -> int: ...

    @property
    def missed(self) -> int: ...

    @property
    def last(self) -> Page | None: ...

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        """The page at `url`; `wait` is a selector that a browser waits for. Raises ScraperError."""
        ...

    def close(self) -> None:
        """Ends connections and processes."""
        ...
