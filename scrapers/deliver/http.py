"""The POST door, seen from outside: sends a source's spool in order and tells what the server answered."""

import random
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import msgspec
import requests
from requests.auth import AuthBase
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from ingest_api.contract import Receipt
from scrapers.deliver.spool import Request, Spool, Wait
from scrapers.errors import DeliveryFailed
from scrapers.unreachable import why

CONNECT, READ = 5.0, 60.0  # seconds the server may take, at most
BRIEF = 2.0  # seconds it may take when something else is to be done
LONG = 10.0  # seconds it may take when nothing but the next run waits
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0  # seconds between tries
TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
KEEP_OUT = frozenset({401, 403})


class Away(DeliveryFailed):
    """The server does not answer, or asks to be asked later; the entries are kept in the spool."""

    code = "server_away"

    def __init__(self, message: str, pause: float | None = None) -> None:
        """`pause` is the number of seconds the server asks for."""
        super().__init__(message)
        self.pause = pause


class Silent(Away):
    """The server takes connections, but does not answer in time."""


class NotLetIn(DeliveryFailed):
    """The server does not let us in: set PORTALWIRE_TOKEN to a token that may deliver this source."""

    code = "not_let_in"
    lasting = True


class WrongAddress(DeliveryFailed):
    """That is not a Portalwire server: set PORTALWIRE_INGEST_URL."""

    code = "wrong_address"
    lasting = True


class Poison(DeliveryFailed):
    """The server will never take this request."""

    code = "poison"
    lasting = True


class Door:
    """A connection to the server. Not to be shared between threads."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.auth = _Bearer(token)

    def __enter__(self) -> "Door":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    def send(self, request: Request, within: float = READ) -> Receipt | None:
        """One try, answered `within` so many seconds; the receipt of a batch. Raises Away, NotLetIn, WrongAddress or
        Poison."""
        return self._receipt(request, self._ask(request, within))

    def receipt(self, source: str, batch_id: str, digest: str, run_id: str, within: float = READ) -> Receipt | None:
        """The receipt of a batch that went another way, None when there is none yet; raises as `send`."""
        path = f"/api/batches/{source}/{quote(batch_id, safe='')}?digest={digest}"
        request = Request("batch", "GET", path, run_id, b"")
        answer = self._ask(request, within)
        if answer.status_code == 404 and _is_ours(answer):
            return None
        return self._receipt(request, answer)

    def _ask(self, request: Request, within: float) -> requests.Response:
        headers = {"Content-Type": "application/json", "X-Request-ID": request.run_id}
        if request.encoding:
            headers["Content-Encoding"] = request.encoding
        try:
            return self._session.request(
                request.method,
                self.url + request.path,
                data=request.body,
                headers=headers,
                timeout=(min(CONNECT, within), within),
                allow_redirects=False,
            )
        except (InvalidURL, InvalidSchema, MissingSchema) as error:
            raise WrongAddress(f"PORTALWIRE_INGEST_URL is no address: {self.url}") from error
        except requests.Timeout as error:
            raise Silent(f"no answer from {self.url} within {within:.0f} s") from error
        except requests.RequestException as error:
            raise Away(f"no answer from {self.url}: {why(error) or type(error).__name__}") from error

    def _receipt(self, request: Request, answer: requests.Response) -> Receipt | None:
        status, said = answer.status_code, _said(answer)
        if status == 204 and request.kind != "batch":
            return None
        if status == 200 and request.kind == "batch":
            try:
                return msgspec.json.decode(answer.content, type=Receipt)
            except msgspec.DecodeError as error:
                raise WrongAddress(f"{self.url} answered 200 without a receipt: set PORTALWIRE_INGEST_URL") from error
        if status in KEEP_OUT:
            raise NotLetIn(f"{self.url} answered {said}: set PORTALWIRE_TOKEN to a token that may deliver this source")
        if status in TRY_LATER or status >= 500:
            raise Away(f"{self.url} answered {said}", _retry_after(answer))
        if status < 400 or (status in (404, 405) and not _is_ours(answer)):
            raise WrongAddress(f"{self.url}{request.path} answered {said}: set PORTALWIRE_INGEST_URL")
        raise Poison(f"{self.url} answered {said}")


class Way(Protocol):
    """How a request reaches the server at `url`: `send` is one try, answered `within` so many seconds, and raises
    DeliveryFailed."""

    url: str

    def send(self, request: Request, within: float) -> Receipt | None: ...


@dataclass
class Courier:
    """Takes a source's spool to the door, in order, and remembers the answers.

    `receipts` are those of the batches of `run_id`; `refused` is where poison was set aside; `failure` is why the
    last sending did not empty the spool.
    """

    spool: Spool
    door: Way
    run_id: str = ""
    receipts: list[Receipt] = field(default_factory=list)
    refused: list[tuple[Path, str]] = field(default_factory=list)
    sent: int = 0
    failure: DeliveryFailed | None = None

    def send(self, patience: float = 0, wait: Wait = time.sleep, within: float = BRIEF) -> bool:
        """Empty the spool, trying again for up to `patience` seconds; whether nothing is left. Also when no patience is
        left, the server may take `within` seconds to answer a request."""
        until = time.monotonic() + patience
        with self.spool.sending(patience, wait) as ours:
            if not ours:
                self.failure = Away(f"another process is delivering {self.spool.source} now")
                return False
            self.failure = None
            return self._empty(until, wait, within)

    def _empty(self, until: float, wait: Wait, within: float) -> bool:
        queue, tries = deque(self.spool.pending()), 0
        while queue:
            try:
                self._obey_hold(until, wait)
                self._one(queue[0], min(READ, max(within, until - time.monotonic())))
            except Away as away:
                self.failure = away
                if away.pause:
                    self.spool.hold(away.pause, self.door.url)
                pause = away.pause or _pause(tries)
                if time.monotonic() + pause > until:
                    return False
                wait(pause)
                tries += 1
                continue
            except DeliveryFailed as failure:
                self.failure = failure
                return False
            tries, self.failure = 0, None
            queue.popleft()
            queue = queue or deque(self.spool.pending())
        return True

    def _obey_hold(self, until: float, wait: Wait) -> None:
        """What the server asked of an earlier sender binds this one too."""
        left = self.spool.held(self.door.url)
        if left and time.monotonic() + left <= until:
            wait(left)
        elif left:
            raise Away(f"{self.door.url} asked not to be called for another {left:.0f} s")

    def _one(self, kept: Path, within: float) -> None:
        try:
            request = Request.unpacked(kept.read_bytes())
            receipt = self.door.send(request, within)
        except FileNotFoundError:  # outdated and forgotten by whoever put a newer one
            return
        except (ValueError, Poison) as error:
            self.refused.append((self.spool.reject(kept, str(error)), str(error)))
            return
        self.spool.done(kept)
        self.sent += 1
        if receipt and request.run_id == self.run_id:
            self.receipts.append(receipt)


class _Bearer(AuthBase):
    """The token, so that requests does not look for one in ~/.netrc."""

    def __init__(self, token: str | None) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _pause(tries: int) -> float:
    """Seconds until the next try: longer each time, and never in step with others."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries, 10)) * random.uniform(0.75, 1.25)


def _retry_after(answer: requests.Response) -> float | None:
    value = answer.headers.get("Retry-After")
    try:
        return max(0.0, Retry().parse_retry_after(value)) if value else None
    except InvalidHeader:
        return None


def _is_ours(answer: requests.Response) -> bool:
    """Whether the answer is an error as Portalwire words it."""
    try:
        return "code" in answer.json()["error"]
    except (ValueError, TypeError, KeyError):
        return False


def _said(answer: requests.Response) -> str:
    if _is_ours(answer):
        return f"{answer.status_code}: {answer.json()['error'].get('message')}"
    return f"{answer.status_code} {answer.reason}"
