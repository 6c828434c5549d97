"""A visit by a browser: pages that scripts draw, behind a login where there is one."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from scrapers import lookalike
from scrapers.address import join
from scrapers.config import Login, Source
from scrapers.errors import FetchFailed, Gone, LoginWall, Refused, ScraperError, SelectorFailed
from scrapers.failures import Shown
from scrapers.fetch.driver import Browser
from scrapers.fetch.gate import Gate
from scrapers.fetch.limits import Limits, Politeness
from scrapers.fetch.login import credentials, form, log_in
from scrapers.fetch.session import PoliteSession
from scrapers.fetch.warm import WarmBrowser
from scrapers.page import Page

PATIENCE = 15.0  # seconds in which a page must draw what is waited for
UNWELCOME = 60.0  # seconds without us after a 429 or 503, whose Retry-After a browser does not tell
_TOO_MUCH = frozenset({429, 503})
_REFUSALS = {401: Refused, 403: Refused, 404: Gone, 410: Gone, 451: Refused}


def warm_browser(start: str, source: Source, var: Path, headed: bool = False) -> WarmBrowser:
    """The browser for visits of this source; it talks to the host of `start` and to `source.hosts`."""
    return WarmBrowser(var / "browser" / source.name, Gate(start, source.hosts), headed=headed)


class BrowserVisit:
    """One run's use of a warm browser. It logs in when the login form shows; the session is kept for later runs.

    After an error the browser is ended instead of reused.
    """

    def __init__(
        self,
        start: str,
        source: Source,
        browser: WarmBrowser,
        var: Path,
        *,
        patience: float = PATIENCE,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """`environ` holds the credentials that `source.login` names."""
        self.pages = 0
        self.missed = 0
        self.last: Page | None = None
        self._start = start
        self._source = source
        self._warm = browser
        self._limits = Limits()
        self._session = PoliteSession(source.name, start, var, self._limits, Politeness.of(source))
        self._patience = patience
        self._environ = environ
        self._browser: Browser | None = None
        self._failed = False

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        """The page at `url` as soon as it holds `wait` (or the source's own). Raises ScraperError."""
        self.missed += 1
        try:
            self.last = self._fetched(url or self._start, wait or self._source.wait)
        except ScraperError:
            self._failed = True
            raise
        self.missed -= 1
        self.pages += 1
        return self.last

    def shown(self) -> Shown | None:
        """What the browser shows now, None if nothing answers."""
        browser = self._browser
        if not browser:
            return None
        try:
            return Shown(browser.url, browser.document(self._limits.size), browser.screenshot())
        except ScraperError:
            return None

    def close(self) -> None:
        """Keeps the session and lets the browser rest; ends it after an error. Its owner closes the warm browser."""
        self._session.close()
        browser, self._browser = self._browser, None
        if self._failed or not browser:
            self._warm.close()
            return
        try:
            browser.keep_cookies()
            browser.rest()
        except ScraperError:
            self._warm.close()
            raise

    def _fetched(self, url: str, wait: str | None) -> Page:
        try:
            address = join(self.last.url if self.last else self._start, url)
        except ValueError as error:
            raise FetchFailed(f"{url[:200]!r} is no address: {error}") from error
        self._warm.gate.check(address)
        self._browser = self._browser or self._warm.take()
        return self._page(self._browser, address, wait)

    def _page(self, browser: Browser, address: str, wait: str | None) -> Page:
        self._go(browser, address)
        login = self._source.login
        if login and self._wants_login(browser, login, wait):
            values = credentials(login, self._environ)
            self._go(browser, join(self._start, login.at))
            log_in(browser, login, values, self._patience)
            self._go(browser, address)
            if self._wants_login(browser, login, wait):
                raise LoginWall("the login form shows again right after the login", page=browser.url)
        awaited = wait or "html"
        drawn = browser.first([awaited], self._patience)
        self._warm.gate.check(browser.url)  # a script may have led us away meanwhile
        body = browser.document(self._limits.size)
        page = Page(body, browser.url, datetime.now(UTC), self, "text/html; charset=utf-8")
        lookalike.check(page, address)
        if not drawn:
            missing = f"expected to appear within {self._patience:.0f} s"
            raise SelectorFailed(missing, page=page.url, selector=awaited, body=body)
        return page

    def _wants_login(self, browser: Browser, login: Login, wait: str | None) -> bool:
        """Whether the form is what shows, rather than the page or a sign of being logged in."""
        signs = [wait, login.until] if wait else [login.until]
        return browser.first([*signs, form(login)], self._patience if wait else 0) == form(login)

    def _go(self, browser: Browser, address: str) -> None:
        """Loads the page when it is our turn, and makes sure that it came from where we may go."""
        self._session.admit(address)
        try:
            browser.open(address)
        except FetchFailed:
            self._warm.gate.check(browser.url)  # a redirect to another host fails as a host that does not resolve
            raise
        self._warm.gate.check(browser.url)
        status = browser.status()
        if status in _TOO_MUCH:
            self._session.hold(address, UNWELCOME)
        if status in _REFUSALS:
            raise _REFUSALS[status](f"the portal answered with status {status}", page=address)
        if not 200 <= status < 400:
            raise FetchFailed(f"the portal answered with status {status}" if status else "no answer", page=address)
