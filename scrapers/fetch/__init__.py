"""The ways to a portal's pages. Only this folder touches the network; what it returns is a `Visit`."""

from pathlib import Path

from scrapers.config import Source
from scrapers.fetch.browser import BrowserVisit, warm_browser
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Politeness
from scrapers.visit import Visit

__all__ = ["Fetcher"]


class Fetcher:
    """A source's way to its portal, for one run after the other; a browser stays warm in between. Close it."""

    def __init__(self, source: Source, start: str, var: Path, *, headed: bool = False) -> None:
        """`start` is the first page; `headed` shows the browser's window."""
        self._source = source
        self._start = start
        self._var = var
        self._browser = warm_browser(start, source, var, headed) if source.fetch == "browser" else None

    def __enter__(self) -> "Fetcher":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def visit(self) -> Visit:
        """For one run, which closes it."""
        source = self._source
        if self._browser:
            return BrowserVisit(self._start, source, self._browser, self._var)
        return HttpVisit(source.name, self._start, self._var, politeness=Politeness.of(source))

    def close(self) -> None:
        if self._browser:
            self._browser.close()
