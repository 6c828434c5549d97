"""One Chromium under Selenium. The only file that knows Selenium."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import cast

from selenium.common.exceptions import (
    InvalidSelectorException,
    JavascriptException,
    NoSuchDriverException,
    NoSuchElementException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import Chrome, ChromeOptions, ChromeService, Remote
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.support.wait import WebDriverWait
from urllib3.exceptions import HTTPError

from scrapers.errors import BrowserFailed, BrowserMissing, FetchFailed, SelectorFailed, TimedOut, TooBig
from scrapers.fetch.chromium import arguments, find
from scrapers.fetch.gate import Gate
from scrapers.fetch.profile import Profile
from scrapers.fetch.reaper import Reaper

LOAD = 30.0  # seconds a page may take to load
ANSWER = 15.0  # seconds beyond that in which the driver itself must answer
QUIT = 5.0  # seconds for an orderly end, before the group is killed
_STATUS = "const [n] = performance.getEntriesByType('navigation'); return n ? n.responseStatus : 0"
_FIRST = """
const [selectors] = arguments;
if (document.readyState === "loading") return null; // half a document may hold it already, and no more
return selectors.find(selector => document.querySelector(selector)) || null
"""
_DOCUMENT = """
const [most] = arguments, html = document.documentElement.outerHTML;
return html.length > most ? null : html
"""


class Browser:
    """A running Chromium; it and all its processes end with `close` or with this process, kill -9 included.

    It talks to the hosts of `gate` only. Not for several threads at once.
    """

    def __init__(
        self, profile: Profile, gate: Gate, headed: bool = False, environ: Mapping[str, str] = os.environ
    ) -> None:
        """Raises BrowserMissing, BrowserFailed, and Forbidden when a host leads into a private network."""
        self.pages = 0
        self.started = time.monotonic()
        self._profile = profile
        self._reaper = Reaper()
        try:
            self._driver = _start(profile, gate, headed, environ, self._reaper.group)
        except BaseException:
            self._reaper.end()
            raise

    def open(self, url: str) -> None:
        """Loads a page. Raises TimedOut, FetchFailed, BrowserFailed."""
        self.pages += 1
        with _told(url):
            self._driver.get(url)

    def first(self, selectors: list[str], within: float) -> str | None:
        """The first of the CSS selectors that the document, read to its end, holds; None when it holds none `within`
        seconds."""
        with _told(self.url):
            wait: WebDriverWait[Chrome] = WebDriverWait(self._driver, within, poll_frequency=0.05)
            with suppress(TimeoutException):
                return wait.until(lambda driver: _first(driver, selectors))
        return None

    def fill(self, selector: str, text: str) -> None:
        """Types text into an input, in place of what is there. Raises SelectorFailed."""
        with _told(self.url, selector):
            field = self._driver.find_element(By.CSS_SELECTOR, selector)
            field.clear()
            field.send_keys(text)

    def click(self, selector: str) -> None:
        """Raises SelectorFailed."""
        with _told(self.url, selector):
            self._driver.find_element(By.CSS_SELECTOR, selector).click()

    @property
    def url(self) -> str:
        with _told():
            return self._driver.current_url

    def document(self, most: int) -> bytes:
        """The document as scripts have drawn it by now, in UTF-8. Raises TooBig beyond `most` characters."""
        with _told(self.url):
            html = self._driver.execute_script(_DOCUMENT, most)
        if html is None:
            raise TooBig(f"the page has more than {most} characters", page=self.url)
        return str(html).encode(errors="replace")

    def status(self) -> int:
        """The HTTP status the document came with; 0 when there was no answer."""
        with _told(self.url):
            return int(self._driver.execute_script(_STATUS))

    def screenshot(self) -> bytes:
        """A PNG of the window."""
        with _told():
            return self._driver.get_screenshot_as_png()

    def restore_cookies(self) -> None:
        """Takes up the session that was kept."""
        with _told():
            self._driver.execute_cdp_cmd("Storage.setCookies", {"cookies": self._profile.cookies()})

    def keep_cookies(self) -> None:
        """Keeps the session for the next browser of this profile."""
        with _told():
            self._profile.keep(self._driver.execute_cdp_cmd("Storage.getCookies", {})["cookies"])

    def rest(self) -> None:
        """Leaves the page, so that its scripts stop."""
        with _told():
            self._driver.get("about:blank")

    @property
    def group(self) -> int:
        """The process group of the browser and its driver."""
        return self._reaper.group

    def memory(self) -> int:
        """Bytes that all its processes hold."""
        return self._reaper.memory()

    def close(self) -> None:
        """Ends it: in order if it answers, by force if not. Safe to call twice."""
        _answer_within(self._driver, QUIT)
        with suppress(WebDriverException, HTTPError):
            Remote.quit(self._driver)
        self._reaper.end()
        self._driver.service.process.wait()
        self._driver.service.stop()  # its process has ended: this closes what Selenium holds of it


def _start(profile: Profile, gate: Gate, headed: bool, environ: Mapping[str, str], group: int) -> Chrome:
    binaries = find(environ)
    os.environ.setdefault("SE_AVOID_STATS", "true")
    os.environ.setdefault("SE_OFFLINE", "true")
    options = ChromeOptions()
    options.binary_location = binaries.browser or ""
    options.add_experimental_option("prefs", {"download_restrictions": 3, "credentials_enable_service": False})
    options.unhandled_prompt_behavior = "dismiss"
    for argument in arguments(profile.folder.resolve(), gate, headed):
        options.add_argument(argument)
    service = ChromeService(binaries.driver, popen_kw={"process_group": group})
    try:
        driver = Chrome(options=options, service=service, keep_alive=False)
    except NoSuchDriverException as error:
        raise BrowserMissing(f"{BrowserMissing().message} {_fetching()}") from error
    except (WebDriverException, HTTPError) as error:
        raise BrowserFailed(f"Chromium did not start: {_sentence(error)}") from error
    _answer_within(driver, LOAD + ANSWER)
    driver.set_page_load_timeout(LOAD)
    return driver


def _fetching() -> str:
    """What Selenium did about it."""
    if os.environ["SE_OFFLINE"] == "true":
        return "Or set SE_OFFLINE=false, and Selenium fetches them."
    return "Selenium looked for them online and got none."


def _first(driver: Chrome, selectors: list[str]) -> str | None:
    try:
        found: str | None = driver.execute_script(_FIRST, selectors)
    except JavascriptException as error:
        if "navigat" in (error.msg or ""):  # the document went away while it was asked
            return None
        raise
    return found


def _answer_within(driver: Chrome, seconds: float) -> None:
    """Bounds every command. Without keep-alive these settings hold from the next one on."""
    config = cast(RemoteConnection, driver.command_executor).client_config
    config.timeout = int(seconds)
    config.init_args_for_pool_manager = {"init_args_for_pool_manager": {"retries": False}}


@contextmanager
def _told(page: str | None = None, selector: str | None = None) -> Iterator[None]:
    """Selenium's errors as ours, with the page and the selector."""
    try:
        yield
    except TimeoutException as error:
        raise TimedOut(f"the page did not load in {LOAD:.0f} s", page=page) from error
    except NoSuchElementException as error:
        raise SelectorFailed(
            "nothing on the page matches, exactly one is expected", page=page, selector=selector
        ) from error
    except InvalidSelectorException as error:
        raise SelectorFailed("this is not a CSS selector", page=page, selector=selector) from error
    except WebDriverException as error:
        if "net::ERR_" in (error.msg or ""):
            raise FetchFailed(f"the browser could not fetch the page: {_sentence(error)}", page=page) from error
        raise BrowserFailed(f"the browser failed: {_sentence(error)}", page=page) from error
    except HTTPError as error:
        raise BrowserFailed("the browser does not answer", page=page) from error


def _sentence(error: Exception) -> str:
    """The first line of the error; the rest is the driver's stack."""
    text = (getattr(error, "msg", None) or str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__
