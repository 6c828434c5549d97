"""Portals without Python: the selectors of `fields:` in schedules.yaml, read through the same Page as any portal."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from ingest_api.contract import Entry
from scrapers import values
from scrapers.config import Field, Listing, Source
from scrapers.errors import ConfigError, Unreadable
from scrapers.page import Page, Row
from scrapers.portal import Portal
from scrapers.visit import Visit

Value = str | int | Decimal | date


def portal_of(source: Source) -> Portal:
    """The portal that `source.fields` describe. Raises ConfigError when there are none, or no start."""
    listing = source.fields
    if listing is None or source.start is None:
        raise ConfigError([f"{source.name}: fields and start are missing"])
    at_least = min(1, source.expect.at_least)
    reader = _Reader(listing)

    def scrape(visit: Visit) -> Iterator[Entry]:
        page: Page | None = visit()
        while page:
            page = page.quick(reader.selectors)
            for row in page.all(listing.rows, at_least=at_least):
                yield reader.entry(row, page.url)
            page = page.next(listing.next) if listing.next else None

    return Portal(source.name, source.start, scrape, "1", source.title, Path(__file__))


class _Reader:
    """Rows to entries."""

    def __init__(self, listing: Listing) -> None:
        self._key = _field(listing.key)
        self._topic = _field(listing.topic) if listing.topic else None
        self._url = _link(listing.url) if listing.url else None
        self._fields = {name: _field(given) for name, given in listing.fields.items()}
        asked = [field.selector for field in (self._key, self._topic, self._url, *self._fields.values()) if field]
        self.selectors = [selector for selector in (listing.rows, listing.next, *asked) if selector]

    def entry(self, row: Row, page: str) -> Entry:
        data = {name: _optional(row, field, page) for name, field in self._fields.items()}
        return Entry(
            key=str(_read(row, self._key, page)),
            data={name: value for name, value in data.items() if value is not None},
            topic=str(_read(row, self._topic, page)) if self._topic else None,
            url=str(_read(row, self._url, page)) if self._url else None,
        )


def _optional(row: Row, field: Field, page: str) -> Value | None:
    return None if field.optional and _lacks(row, field) else _read(row, field, page)


def _lacks(row: Row, field: Field) -> bool:
    parts: list[Row] = row.all(field.selector) if field.selector else [row]
    name = field.attribute
    return not any(part.attr(None, name, default="") if name else part.text(default="") for part in parts)


def _read(row: Row, field: Field, page: str) -> Value:
    if field.type == "link":
        return row.link(field.selector, field.attribute or "href")
    name = field.attribute
    text = row.attr(field.selector, name) if name else row.text(field.selector)
    try:
        return _typed(text, field)
    except Unreadable as error:
        raise Unreadable(error.message, page=page, selector=field.selector) from error


def _field(given: Field | str) -> Field:
    return Field(selector=given) if isinstance(given, str) else given


def _link(given: Field | str) -> Field:
    return Field(selector=given, type="link") if isinstance(given, str) else given


def _typed(text: str, field: Field) -> Value:
    if field.type == "money":
        return values.money(text, field.decimal)
    if field.type == "number":
        return values.number(text, field.decimal or ".")
    if field.type == "date":
        return values.day(text, field.order, format=field.format, languages=field.languages)
    return text
