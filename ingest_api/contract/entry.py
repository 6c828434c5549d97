"""An entry: one record of a source, known by its key; and what the contract asks of it."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ingest_api.contract.errors import EntryError
from ingest_api.contract.moment import Instant, check

MAX_KEY = 200  # characters
MAX_TOPIC = 100  # characters
MAX_URL = 2048  # characters
MAX_FIELDS = 200  # fields of one data
MAX_DATA = 64 * 1024  # bytes of one data as JSON
MAX_DEPTH = 6  # data within data
WIDENED = 6  # times as long as it came JSON may become when it is written again: 1e15
CLOCK_SKEW = timedelta(minutes=5)  # how far ahead of ours a sender's clock may be

# Control characters (but tab and newline), what has no meaning on its own, and half surrogates:
# PostgreSQL refuses NUL, terminals obey ESC, and nobody reads any of them.
_NOISE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")

_ESCAPES = re.compile(rb'\\[^"/nt]')  # a backslash too, since it may be the second of two
_WIDE_NOISE = re.compile(rb"\xc2[\x80-\x9f]|\xef(?:\xbb\xbf|\xbf[\xbe\xbf])")
_FLAT = frozenset({str, int, float, bool, type(None)})
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[!-~]*)?")

_to_json = msgspec.json.Encoder(order="deterministic").encode


class Entry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One record of a source.

    `key` names it within its source for ever; `data` is its fields (a Decimal travels as text, dates as ISO);
    `topic` groups entries into rooms (`vendor_x/steel`); `url` is where a person sees it; `observed_at` is when the
    page that showed it was fetched (the door fills it in with the time of receipt).
    """

    key: str
    data: dict[str, Any]
    topic: str | None = None
    url: str | None = None
    observed_at: Instant | None = None


class Checks:
    """The checks of a batch's entries, received at `received_at`. `clean`: no text in the batch holds noise, which
    `is_clean` knows of all of it at once, so that nobody looks for it in each."""

    def __init__(self, received_at: datetime, clean: bool = False) -> None:
        self._received_at = received_at.astimezone(UTC)
        self._latest = received_at + CLOCK_SKEW
        self._clean = clean
        self.text: Callable[[str], str] = str if clean else plain

    def entry(self, entry: Entry, size: int | None = None) -> Entry:
        """The same entry as it may be stored: noise removed, bounds kept, `observed_at` set, in UTC. `size` is how many
        bytes of JSON it came as, if one knows.

        Raises EntryError, whose message says what to change.
        """
        entry.observed_at = self._received_at if entry.observed_at is None else self._moment(entry.observed_at)
        key = entry.key = self.text(entry.key).strip()
        if not key:
            raise EntryError("key is empty: an entry needs a name that stays the same from run to run")
        if len(key) > MAX_KEY:
            raise _too_long("key", key, MAX_KEY)
        entry.data = self._data(entry.data, size)
        if entry.topic is not None:
            entry.topic = self.text(entry.topic).strip() or None
            if entry.topic and len(entry.topic) > MAX_TOPIC:
                raise _too_long("topic", entry.topic, MAX_TOPIC)
        if entry.url is not None:
            entry.url = _web_address(entry.url)
        return entry

    def _moment(self, observed_at: datetime) -> datetime:
        """The same in UTC."""
        try:
            check("observed_at", observed_at)
        except ValueError as error:
            raise EntryError(str(error)) from error
        if observed_at.tzinfo is not UTC:
            observed_at = observed_at.astimezone(UTC)
        if observed_at > self._latest:
            raise EntryError(f"observed_at is in the future ({observed_at.isoformat()}): set the sender's clock")
        return observed_at

    def _data(self, data: dict[str, Any], size: int | None) -> dict[str, Any]:
        if len(data) > MAX_FIELDS:
            raise EntryError(f"data has {len(data)} fields, at most {MAX_FIELDS} are kept")
        if not (self._clean and self._is_flat(data)):
            data = _value(data, 0)
        if size is None or size * WIDENED > MAX_DATA:
            size = len(_to_json(data))
            if size > MAX_DATA:
                raise EntryError(f"data is {size} bytes as JSON, at most {MAX_DATA} are kept")
        return data

    def _is_flat(self, data: dict[str, Any]) -> bool:
        """Whether clean data is as it should be already, as nearly all is: a few plain fields."""
        for name in data:
            if len(name) > MAX_KEY or not _is_field(name):
                return False
        for value in data.values():
            kind = type(value)
            if kind not in _FLAT or (kind is int and not _fits(value)):
                return False
        return True


def is_clean(body: bytes) -> bool:
    """Whether no text in a JSON body can hold noise: it has no escapes but the plainest, and no bytes of noise."""
    if b"\\" in body and _ESCAPES.search(body):
        return False
    return b"\x7f" not in body and (body.isascii() or not _WIDE_NOISE.search(body))


def plain(text: str) -> str:
    """`text` without control characters; tabs and newlines stay."""
    if text.isprintable():  # most are, and nothing of the noise is
        return text
    return _NOISE.sub("", text.replace("\r\n", "\n"))


def _too_long(name: str, text: str, most: int) -> EntryError:
    return EntryError(f"{name} has {len(text)} characters, at most {most} are kept")


def _web_address(url: str) -> str | None:
    if not url:
        return None
    if len(url) <= MAX_URL and _ADDRESS.fullmatch(url):
        return url
    url = plain(url).strip()
    if len(url) > MAX_URL:
        raise _too_long("url", url, MAX_URL)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise EntryError(f"url is not an address: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise EntryError("url must be absolute and begin with http:// or https://")
    return url


def _value(value: Any, depth: int) -> Any:
    """A value of `data` as JSON can carry it: str, int, float, bool, None, list or dict of these."""
    if isinstance(value, str):
        return plain(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not _fits(value):
            raise EntryError("data holds a whole number of more than 64 bits: send it as text")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EntryError("data holds a number that is not finite")
        return value
    if depth >= MAX_DEPTH:
        raise EntryError(f"data is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, list):
        return [_value(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_field(name): _value(item, depth + 1) for name, item in value.items()}
    raise EntryError(f"data holds a {type(value).__name__}, which JSON cannot carry")


def _fits(value: int) -> bool:
    return -(2**63) <= value < 2**64


@lru_cache(4096)  # the fields of all sources are few
def _is_field(name: str) -> bool:
    """Whether a field's name, which is short enough, is as it should be."""
    return _field(name) == name


def _field(name: Any) -> str:
    if not isinstance(name, str):
        raise EntryError("the names of data's fields must be text")
    if len(name) <= MAX_KEY and name.isidentifier():
        return name
    text = plain(name).strip()
    if len(text) > MAX_KEY:
        raise _too_long("a field's name", text, MAX_KEY)
    return text
