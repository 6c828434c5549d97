"""robots.txt (RFC 9309): what a host asks of programs."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego

from scrapers.errors import FetchFailed, Forbidden
from scrapers.fetch.limits import AGENT

MAX_SIZE = 512 * 1024  # bytes that are read
SLOWEST = 60.0  # seconds; a longer Crawl-delay is cut to it

Fetch = Callable[[str], tuple[int, bytes]]


class Robots:
    """The rules of the hosts that were asked, remembered on disk for `age` seconds.

    `fetch` returns status and body, and raises when the host cannot be asked: then nothing may be fetched from it, nor
    after an answer that is neither rules nor 4xx. A host that has no robots.txt (4xx) allows everything.
    """

    def __init__(self, folder: Path, fetch: Fetch, age: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._fetch = fetch
        self._age = age
        self._rules: dict[str, Protego] = {}  # scheme and host -> rules

    def check(self, url: str) -> None:
        """Raises Forbidden when the host's robots.txt does not allow us `url`."""
        if not self._of(url).can_fetch(url, AGENT):
            raise Forbidden("robots.txt does not allow this page (`robots: false` if its owner does)", page=url)

    def pace(self, url: str) -> float:
        """The seconds between two requests that the host asks for; 0 when it asks for nothing."""
        rules = self._of(url)
        delay = float(rules.crawl_delay(AGENT) or 0)
        rate = rules.request_rate(AGENT)
        if rate and rate.requests:
            delay = max(delay, rate.seconds / rate.requests)
        return min(delay, SLOWEST)

    def _of(self, url: str) -> Protego:
        parts = urlsplit(url)
        site = f"{parts.scheme}://{parts.netloc.lower()}"
        if site not in self._rules:
            self._rules[site] = Protego.parse(self._text(site))
        return self._rules[site]

    def _text(self, site: str) -> str:
        file = self._folder / hashlib.blake2b(site.encode(), digest_size=16).hexdigest()
        if file.exists() and 0 <= time.time() - file.stat().st_mtime < self._age:
            return file.read_text("utf-8")
        address = f"{site}/robots.txt"
        status, body = self._fetch(address)
        if not (status < 300 or 400 <= status < 500):
            raise FetchFailed(f"robots.txt cannot be read: the portal answers {status}", page=address)
        text = body[:MAX_SIZE].decode("utf-8", "replace").removeprefix("\ufeff") if status < 300 else ""
        fresh = file.with_suffix(f".{os.getpid()}")
        fresh.write_text(text, "utf-8")
        fresh.replace(file)
        return text
