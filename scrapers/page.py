"""A fetched page: its bytes as they came, and its contents by selectors that count."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from scrapers.address import join, without_fragment
from scrapers.markup import is_xml, parsed
from scrapers.node import REQUIRED, Node, Row

__all__ = ["REQUIRED", "Node", "Page", "Row"]


class Page(Node):
    """A page: `body` (bytes), `url` (where it was in the end), `fetched_at` (UTC) and `content_type` as it was served.

    TooBig when it is more than a parser should be given.
    """

    def __init__(
        self,
        body: bytes,
        url: str,
        fetched_at: datetime,
        visit: "Callable[[str], Page] | None" = None,
        content_type: str | None = None,
    ) -> None:
        self.body: Final = body
        self.url: Final = url
        self.fetched_at: Final = fetched_at
        self.content_type: Final = content_type
        self.is_xml: Final = is_xml(body, content_type)
        self._visit = visit
        self._came_by = {without_fragment(url)}  # the addresses that `next` led through
        tag = parsed(body, content_type, url)
        base = None if self.is_xml else tag.select_one("base[href]")
        super().__init__(tag, url, join(url, str(base["href"])) if base else url)

    def next(self, selector: str) -> "Page | None":
        """The page that the selector's link leads to, None when there is no such link (this was the last page).

        The link may stand twice (above and below a table), but must lead to one place, and not back to a page that
        `next` came through: SelectorFailed otherwise.
        """
        places = {without_fragment(row.link()) for row in self.all(selector)}
        if not places:
            return None
        if len(places) > 1:
            raise self._failed(selector, f"one next page expected, {len(places)} different ones found")
        address = places.pop()
        if address in self._came_by:
            raise self._failed(selector, f"another page expected, but the link leads back to {address}")
        if self._visit is None:
            raise self._failed(selector, "this page came without a visit that could fetch the next one")
        page = self._visit(address)
        page._came_by |= self._came_by
        return page
