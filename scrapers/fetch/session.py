"""One polite HTTP session: allowed hosts only, robots.txt obeyed, paced, retried, revalidated."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests_cache import EXPIRE_IMMEDIATELY, CachedSession
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util import Retry

from scrapers.address import join, without_fragment
from scrapers.errors import FetchFailed, TimedOut
from scrapers.fetch.adapter import BoundedAdapter
from scrapers.fetch.deadline import Deadline
from scrapers.fetch.gate import Gate
from scrapers.fetch.limits import Limits, Politeness
from scrapers.fetch.politeness import Turnstile
from scrapers.fetch.robots import Robots
from scrapers.unreachable import never_connected, why

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class PoliteSession:
    """Gets pages for one source. What it remembers lies in `var`: turns and robots.txt for all sources, pages (to ask
    "changed since?") in a file of this source's own."""

    def __init__(self, source: str, start: str, var: Path, limits: Limits, politeness: Politeness) -> None:
        self._limits = limits
        self._politeness = politeness
        self._gate = Gate(start, politeness.hosts)
        self._deadline = Deadline()
        self._turnstile = Turnstile(var / "politeness")
        self._robots = Robots(var / "robots", self._robots_file, politeness.robots_age)
        self._retry = Retry(
            total=limits.attempts - 1,
            backoff_factor=limits.backoff,
            status_forcelist=TRY_AGAIN,
            raise_on_status=False,
        )
        self._memory = var / "http" / f"{source}.sqlite"
        self._session = self._open()

    def get(self, url: str) -> requests.Response:
        """The final answer for `url`, whatever its status, redirects followed and its body read.

        Raises Forbidden for a place the source may not go to, TooBig, TimedOut or FetchFailed.
        """
        return self._followed(url, ask_robots=self._politeness.robots)

    def admit(self, url: str) -> None:
        """Returns when it is our turn at `url`, for a visit that fetches it by other means.

        Raises Forbidden for a place the source may not go to, and FetchFailed when the turn is too far away.
        """
        self._gate.check(url)
        self._turnstile.wait(url, self._allowed(url, self._politeness.robots), self._limits.patience)

    def hold(self, url: str, seconds: float) -> None:
        """Nobody asks the host of `url` for anything before then."""
        self._turnstile.hold(url, seconds)

    def close(self) -> None:
        """Ends the connections and the cache."""
        if self._memory.exists() and self._memory.stat().st_size > self._limits.memory:
            self._session.cache.clear()  # type: ignore[no-untyped-call]
        self._session.close()  # type: ignore[no-untyped-call]
        self._deadline.close()

    def _open(self) -> CachedSession:
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        session = CachedSession(
            self._memory,
            backend="sqlite",
            serializer="json",
            expire_after=EXPIRE_IMMEDIATELY,  # a page with an ETag or a date is kept, and never served without asking
            allowable_codes=(200,),
            ignored_parameters=(),
            filter_fn=_may_be_kept,
            key_fn=_key,
        )
        adapter = BoundedAdapter(self._gate, self._deadline, self._limits.size)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.trust_env = False  # a proxy would make the check of addresses void, and .netrc is not for portals
        session.headers.update(
            {"User-Agent": self._politeness.user_agent, "Accept": ACCEPT, "Accept-Encoding": "gzip, deflate"}
        )
        return session

    def _followed(self, url: str, ask_robots: bool) -> requests.Response:
        for _ in range(self._limits.redirects + 1):
            url = without_fragment(url)
            self._gate.check(url)
            response = self._answer(url, self._allowed(url, ask_robots))
            if not response.is_redirect:
                return response
            url = _target(response)
        raise FetchFailed(f"more than {self._limits.redirects} redirects, the last to {url}", page=url)

    def _allowed(self, url: str, ask_robots: bool) -> float:
        """The pace at which we may ask for `url`. Raises Forbidden when robots.txt says that we may not."""
        if not ask_robots:
            return self._politeness.pace
        self._robots.check(url)
        return max(self._politeness.pace, self._robots.pace(url))

    def _robots_file(self, url: str) -> tuple[int, bytes]:
        response = self._followed(url, ask_robots=False)
        return response.status_code, response.content

    def _answer(self, url: str, pace: float) -> requests.Response:
        """The answer of the first attempt that is not worth another; FetchFailed when none is left."""
        retry = self._retry
        while True:
            self._turnstile.wait(url, pace, self._limits.patience)
            try:
                response = self._attempt(url)
                failure = FetchFailed(f"the portal answers {response.status_code} {response.reason}", page=url)
                if response.status_code not in TRY_AGAIN:
                    return response
                self._turnstile.hold(url, self._asked_to_wait(response))
            except FetchFailed as error:
                failure = error
            try:
                retry = retry.increment("GET", url, error=failure)
            except MaxRetryError as error:
                raise failure from error
            self._turnstile.hold(url, retry.get_backoff_time())

    def _attempt(self, url: str) -> requests.Response:
        with self._deadline.limit(self._limits.total):
            try:
                asked = self._session.prepare_request(requests.Request("GET", url))
                timeout = (self._limits.connect, self._limits.read)
                response = self._session.send(asked, timeout=timeout, allow_redirects=False)
            except (requests.RequestException, HTTPError, ValueError) as error:  # ValueError: a Location that is none
                raise self._failure(url, error) from error
        if self._deadline.expired:  # a body without a length just seems to end when its connection is cut
            raise self._failure(url, None)
        return response

    def _failure(self, url: str, error: Exception | None) -> FetchFailed:
        if self._deadline.expired:
            return TimedOut(f"the page was not complete after {self._limits.total:g} s", page=url)
        host, limits = urlsplit(url).hostname, self._limits
        if isinstance(error, requests.ConnectTimeout):
            return TimedOut(f"no connection to {host} within {limits.connect:g} s", page=url)
        if isinstance(error, requests.Timeout):
            return TimedOut(f"the portal was silent for {limits.read:g} s", page=url)
        reason = error and (why(error) or error)
        if error and never_connected(error):
            return FetchFailed(f"no connection to {host}: {reason}", page=url)
        return FetchFailed(f"the page did not come: {reason}", page=url)

    def _asked_to_wait(self, response: requests.Response) -> float:
        try:
            return self._retry.get_retry_after(response.raw) or 0.0
        except InvalidHeader:
            return 0.0


def _target(response: requests.Response) -> str:
    location = response.headers["Location"]
    try:
        return join(response.url, location)
    except ValueError as error:
        raise FetchFailed(f"a redirect to {location[:200]!r}, which is no address", page=response.url) from error


def _key(request: requests.PreparedRequest | requests.Request, **_: object) -> str:
    """What a page is remembered by: its address. Every request of ours is a GET with the same headers."""
    return hashlib.blake2b((request.url or "").encode(), digest_size=16).hexdigest()


def _may_be_kept(response: requests.Response) -> bool:
    return "no-store" not in response.headers.get("Cache-Control", "").lower()
