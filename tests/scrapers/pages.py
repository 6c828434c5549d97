"""Pages for tests, from text."""

from datetime import UTC, datetime

from scrapers import Page

URL = "https://shop.example/list/page"


def page(text: str | bytes, url: str = URL, content_type: str | None = None, visit=None) -> Page:
    body = text.encode() if isinstance(text, str) else text
    return Page(body, url, datetime(2026, 11, 22, tzinfo=UTC), visit, content_type)
