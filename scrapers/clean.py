"""Entries as they may leave: text without markup and noise, absolute addresses, values that JSON can carry."""

import html
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from typing import Any

import nh3

from ingest_api.contract import Entry
from ingest_api.contract.entry import Checks, plain
from ingest_api.contract.errors import EntryError
from scrapers.address import join_web
from scrapers.errors import BadEntry

# Nobody sees these, yet they make equal texts differ, or turn a line around: soft hyphen, zero-width space and
# joiner of words, direction overrides.
_UNSEEN = re.compile("[\u00ad\u200b\u2060\u202a-\u202e\u2066-\u2069]")
_ELEMENTS = nh3.ALLOWED_TAGS | frozenset(
    [
        *(
            "audio",
            "base",
            "body",
            "button",
            "canvas",
            "embed",
            "font",
            "footer",
            "form",
            "frame",
            "head",
            "html",
            "iframe",
        ),
        *(
            "input",
            "label",
            "link",
            "main",
            "meta",
            "noscript",
            "object",
            "option",
            "script",
            "section",
            "select",
            "style",
        ),
        *("svg", "template", "textarea", "title", "video"),
    ]
)
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)(?:[\s/][^<>]*)?(?:>|=[^<>]*$)|<!--")  # the last one may be cut off
_BLOCK = re.compile(r"<(?=/?(?:br|p|div|li|ul|ol|tr|td|th|h[1-6]|dd|dt|table|section|article)[\s/>])", re.IGNORECASE)
_MAX_NESTING = 50  # lists and mappings within each other; the contract takes fewer, this only ends the recursion


class Cleaner:
    """Of the entries of a page: their `url` is read on the page `base_url`, and what does not say when it was observed
    was at `fetched_at` (default: now)."""

    def __init__(self, base_url: str, fetched_at: datetime | None = None) -> None:
        self._base_url = base_url
        self._checks = Checks(fetched_at or datetime.now(UTC), clean=True)

    def cleaned(self, entry: Entry) -> Entry:
        """The entry as the contract takes it. Raises BadEntry, naming the key: nothing is cut short or left out in
        silence."""
        checks = self._checks if entry.observed_at is None else Checks(datetime.now(UTC), clean=True)
        try:
            tidy = Entry(
                key=line(entry.key),
                data=_fields(entry.data),
                topic=text(entry.topic) if entry.topic else None,
                url=_address(entry.url, self._base_url),
                observed_at=entry.observed_at,
            )
            return checks.entry(tidy)
        except (EntryError, ValueError, TypeError, AttributeError) as error:
            raise BadEntry(f"entry {str(entry.key)[:100]!r}: {error}", page=self._base_url) from error


def text(value: str) -> str:
    """One line of text without markup: `"<b>Beam</b>&nbsp;A & B"` is `"Beam A & B"`.

    Text that holds no HTML element stays as it is ("x < y", "A &amp; B"): its entities were read with the page. Where
    it does hold HTML (feeds carry it escaped), the elements go, and what is written as an entity is read once.
    """
    if "<" not in value or not _has_markup(value):
        return line(value)
    spaced = _BLOCK.sub(" <", value)
    return line(html.unescape(nh3.clean(spaced, tags=set())))


def line(value: str) -> str:
    """One line: no control or invisible characters, runs of white space as one space."""
    if value.isprintable() and "  " not in value:  # the space is the only white space that is printable
        return value.strip(" ")
    spaced = " ".join(value.split())  # first: a form feed between two words is white space, not nothing
    return " ".join(_UNSEEN.sub("", plain(spaced)).split())


_name = lru_cache(1024)(line)  # the fields of a source are few


def _has_markup(value: str) -> bool:
    return any(not found[1] or found[1].lower() in _ELEMENTS for found in _TAG.finditer(value))


def _address(url: str | None, base_url: str) -> str | None:
    if not url:
        return None
    address = join_web(base_url, url)
    if address is None:
        raise EntryError(f"url must lead to http or https, not {url[:100]!r}")
    return address


def _fields(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise EntryError(f"data must be a dict of fields, not {type(data).__name__}")
    return {_name(name): _value(value, 1) for name, value in data.items()}


def _value(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return text(value)
    if isinstance(value, int):  # and bool
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise EntryError("data holds a number that is not finite")
        written = str(value)
        return format(value, "f") if "E" in written else written
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if depth > _MAX_NESTING:
        raise EntryError("data is nested too deep")
    if isinstance(value, dict):
        return {_name(name): _value(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(item, depth + 1) for item in value]
    if isinstance(value, float) and not isfinite(value):
        raise EntryError("data holds a number that is not finite")
    return value
