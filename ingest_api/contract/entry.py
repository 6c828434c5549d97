"""An entry: one record of a source, known by its key; and what the contract asks of it."""

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ingest_api.contract.errors import EntryError
from ingest_api.contract.moment import Dated, Instant

MAX_KEY = 200  # characters
MAX_TOPIC = 100  # characters
MAX_URL = 2048  # characters
MAX_FIELDS = 200  # fields of one data
MAX_DATA = 64 * 1024  # bytes of one data as JSON
MAX_DEPTH = 6  # data within data
CLOCK_SKEW = timedelta(minutes=5)  # how far ahead of ours a sender's clock may be

# Control characters (but tab and newline), what has no meaning on its own, and half surrogates:
# PostgreSQL refuses NUL, terminals obey ESC, and nobody reads any of them.
_NOISE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")

_to_json = msgspec.json.Encoder(order="deterministic").encode


class Entry(Dated, kw_only=True, omit_defaults=True):
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


def checked(entry: Entry, received_at: datetime) -> Entry:
    """The entry as it may be stored: noise removed, bounds kept, `observed_at` set, in UTC.

    Raises EntryError, whose message says what to change.
    """
    observed_at = (entry.observed_at or received_at).astimezone(UTC)
    if observed_at > received_at + CLOCK_SKEW:
        raise EntryError(f"observed_at is in the future ({observed_at.isoformat()}): set the sender's clock")
    key = _bounded("key", plain(entry.key).strip(), MAX_KEY)
    if not key:
        raise EntryError("key is empty: an entry needs a name that stays the same from run to run")
    if len(entry.data) > MAX_FIELDS:
        raise EntryError(f"data has {len(entry.data)} fields, at most {MAX_FIELDS} are kept")
    data = _value(entry.data, 0)
    size = len(_to_json(data))
    if size > MAX_DATA:
        raise EntryError(f"data is {size} bytes as JSON, at most {MAX_DATA} are kept")
    topic = _bounded("topic", plain(entry.topic).strip(), MAX_TOPIC) if entry.topic else None
    return Entry(key=key, data=data, topic=topic or None, url=_web_address(entry.url), observed_at=observed_at)


def plain(text: str) -> str:
    """`text` without control characters; tabs and newlines stay."""
    return _NOISE.sub("", text.replace("\r\n", "\n"))


def _bounded(name: str, text: str, most: int) -> str:
    if len(text) > most:
        raise EntryError(f"{name} has {len(text)} characters, at most {most} are kept")
    return text


def _web_address(url: str | None) -> str | None:
    if not url:
        return None
    url = _bounded("url", plain(url).strip(), MAX_URL)
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
        if not -(2**63) <= value < 2**64:
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


def _field(name: Any) -> str:
    if not isinstance(name, str):
        raise EntryError("the names of data's fields must be text")
    return _bounded("a field's name", plain(name).strip(), MAX_KEY)
