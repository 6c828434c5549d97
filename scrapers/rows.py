"""The rows of a listing (`fields:`) to entries: what each field means, and what is wrong where it is not there."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from ingest_api.contract import Entry
from scrapers import values
from scrapers.config import Field, Listing
from scrapers.page import Row

Value = str | int | Decimal | date


class Rows:
    """How a listing's rows are read."""

    def __init__(self, listing: Listing) -> None:
        self.selector = listing.rows
        self.key = _field(listing.key)
        self.topic = _field(listing.topic) if listing.topic else None
        self.url = _link(listing.url) if listing.url else None
        self.fields = {name: _field(given) for name, given in listing.fields.items()}
        asked = [field.selector for field in (self.key, self.topic, self.url, *self.fields.values()) if field]
        self.within = list(dict.fromkeys(filter(None, asked)))
        self.selectors = [listing.rows, *([listing.next] if listing.next else []), *self.within]

    def entry(self, row: Row) -> Entry:
        """Raises SelectorFailed, Unreadable."""
        data = {name: _optional(row, field) for name, field in self.fields.items()}
        return Entry(
            key=str(_read(row, self.key)),
            data={name: value for name, value in data.items() if value is not None},
            topic=str(_read(row, self.topic)) if self.topic else None,
            url=str(_read(row, self.url)) if self.url else None,
        )


def reading(field: Field) -> Callable[[str], Value]:
    """What makes a text, or an attribute, the field's value. It raises Unreadable."""
    match field.type:
        case "money":
            return lambda text: values.money(text, field.decimal)
        case "number":
            return lambda text: values.number(text, field.decimal or ".")
        case "date":
            return lambda text: values.day(text, field.order, format=field.format, languages=field.languages)
    return str


def _optional(row: Row, field: Field) -> Value | None:
    return None if field.optional and _lacks(row, field) else _read(row, field)


def _lacks(row: Row, field: Field) -> bool:
    parts: list[Row] = row.all(field.selector) if field.selector else [row]
    name = field.attribute
    if field.type == "link" and any(part.attr(None, name or "href", default="") for part in parts):
        return False  # a link may hold a picture, and no text
    return not any(part.attr(None, name, default="") if name else part.text(default="") for part in parts)


def _read(row: Row, field: Field) -> Value:
    if field.type == "link":
        return row.link(field.selector, field.attribute or "href")
    return row.value(field.selector, reading(field), field.attribute)


def _field(given: Field | str) -> Field:
    return Field(selector=given) if isinstance(given, str) else given


def _link(given: Field | str) -> Field:
    return Field(selector=given, type="link") if isinstance(given, str) else given
