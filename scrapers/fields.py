"""Portals without Python: the selectors of `fields:` in schedules.yaml, read through the same Page as any portal."""

from collections.abc import Iterator
from dataclasses import dataclass
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

    def scrape(visit: Visit) -> Iterator[Entry]:
        page: Page | None = visit()
        while page:
            for row in page.all(listing.rows, at_least=at_least):
                yield _RowReader(row, page.url).entry(listing)
            page = page.next(listing.next) if listing.next else None

    return Portal(source.name, source.start, scrape, "1", source.title, Path(__file__))


@dataclass
class _RowReader:
    row: Row
    page: str

    def entry(self, listing: Listing) -> Entry:
        data = {name: self.optional(_field(given)) for name, given in listing.fields.items()}
        return Entry(
            key=str(self.read(_field(listing.key))),
            data={name: value for name, value in data.items() if value is not None},
            topic=str(self.read(_field(listing.topic))) if listing.topic else None,
            url=str(self.read(_link(listing.url))) if listing.url else None,
        )

    def optional(self, field: Field) -> Value | None:
        return None if field.optional and self.lacks(field) else self.read(field)

    def lacks(self, field: Field) -> bool:
        parts: list[Row] = self.row.all(field.selector) if field.selector else [self.row]
        name = field.attribute
        return not any(part.attr(None, name, default="") if name else part.text(default="") for part in parts)

    def read(self, field: Field) -> Value:
        if field.type == "link":
            return self.row.link(field.selector, field.attribute or "href")
        name = field.attribute
        text = self.row.attr(field.selector, name) if name else self.row.text(field.selector)
        try:
            return _typed(text, field)
        except Unreadable as error:
            raise Unreadable(error.message, page=self.page, selector=field.selector) from error


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
