"""A browser kept warm between visits: starting one takes a second, a page in a running one a tenth of it."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scrapers.fetch.driver import Browser
from scrapers.fetch.gate import Gate
from scrapers.fetch.profile import Profile


@dataclass(frozen=True)
class Wear:
    """When a browser is replaced: after so many pages, seconds, or bytes of memory."""

    pages: int = 300
    seconds: float = 1800.0
    memory: int = 2 * 1024**3


class WarmBrowser:
    """A source's browser for all its visits in this process. Its owner closes it.

    `home` is the source's folder for profiles, `gate` knows the hosts it may talk to.
    """

    def __init__(self, home: Path, gate: Gate, *, headed: bool = False, wear: Wear | None = None) -> None:
        self._home = home
        self.gate: Final = gate
        self._headed = headed
        self._wear = wear or Wear()
        self._profile: Profile | None = None
        self._browser: Browser | None = None

    def take(self) -> Browser:
        """The browser, started if there is none or the one there is worn. Raises BrowserMissing, BrowserFailed."""
        if self._browser and self._worn(self._browser):
            self.close()
        if not self._browser:
            self._browser = self._started()
        return self._browser

    def close(self) -> None:
        """Ends the browser, if one runs; `take` starts another."""
        browser, profile = self._browser, self._profile
        self._browser = self._profile = None
        if browser:
            browser.close()
        if profile:
            profile.release()

    def _started(self) -> Browser:
        self._profile = Profile(self._home)
        try:
            self._browser = Browser(self._profile, self.gate, self._headed)
            self._browser.restore_cookies()
        except BaseException:
            self.close()
            raise
        return self._browser

    def _worn(self, browser: Browser) -> bool:
        return (
            browser.pages >= self._wear.pages
            or time.monotonic() - browser.started >= self._wear.seconds
            or browser.memory() >= self._wear.memory
        )
