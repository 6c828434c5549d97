"""A visit by HTTP: a polite session whose answers become pages."""

import re
from datetime import UTC, datetime
from pathlib import Path

import requests

from scrapers import lookalike
from scrapers.address import join
from scrapers.errors import BotChallenge, FetchFailed, Gone, Refused
from scrapers.fetch.limits import Limits, Politeness
from scrapers.fetch.session import PoliteSession
from scrapers.page import Page

_READABLE = re.compile(r"text/|application/(?:[\w.-]+\+)?(?:xml|json)", re.IGNORECASE)
_LASTING = {401: Refused, 403: Refused, 404: Gone, 410: Gone, 451: Refused}  # another try will not mend these


class HttpVisit:
    """Fetches the pages of one source. `wait` is for browsers and has no meaning here.

    Raises a ScraperError for everything that is not a page: no answer, a refusal, a place the source may not go to,
    a login, a bot challenge, an empty page.
    """

    def __init__(
        self,
        source: str,
        start: str,
        var: Path,
        *,
        limits: Limits | None = None,
        politeness: Politeness | None = None,
    ) -> None:
        self.pages = 0
        self.missed = 0
        self.last: Page | None = None
        self._start = start
        self._session = PoliteSession(source, start, var, limits or Limits(), politeness or Politeness())

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        self.missed += 1
        page = self._fetched(url or self._start)
        self.missed -= 1
        self.pages += 1
        return page

    def close(self) -> None:
        self._session.close()

    def _fetched(self, url: str) -> Page:
        try:
            address = join(self.last.url if self.last else self._start, url)
        except ValueError as error:
            raise FetchFailed(f"{url[:200]!r} is no address: {error}") from error
        response = self._session.get(address)
        content_type = response.headers.get("Content-Type") or "text/html"
        page = self._page(response) if _READABLE.match(content_type) else None
        if response.status_code not in (200, 203):
            raise _refusal(response, page)
        if page is None:
            raise FetchFailed(f"a page expected, but {content_type[:100]} came", page=response.url)
        lookalike.check(page, address)
        return page

    def _page(self, response: requests.Response) -> Page:
        content_type = response.headers.get("Content-Type")
        self.last = Page(response.content, response.url, datetime.now(UTC), self, content_type)
        return self.last


def _refusal(response: requests.Response, page: Page | None) -> FetchFailed | BotChallenge:
    if response.headers.get("cf-mitigated") == "challenge" or (page and lookalike.is_challenge(page)):
        return BotChallenge(page=response.url)
    message = f"the portal answers {response.status_code} {response.reason}"
    return _LASTING.get(response.status_code, FetchFailed)(message, page=response.url)
