"""A fetched page: its bytes as they came, and its contents by selectors that count."""

from collections.abc import Callable, Iterable
from copy import copy
from datetime import datetime
from typing import Final

import structlog
from soupsieve import SelectorSyntaxError

from scrapers.address import without_fragment
from scrapers.markup import Markup
from scrapers.node import REQUIRED, Node, Row
from scrapers.trees import LibxmlTree, NotCompiled, SoupTree, Unlike

__all__ = ["REQUIRED", "Node", "Page", "Row"]

log = structlog.get_logger()


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
        markup = Markup(body, content_type, url)
        self.is_xml: Final = markup.is_xml
        self._visit = visit
        self._came_by = {without_fragment(url)}  # the addresses that `next` led through
        self._quick: LibxmlTree | str | None = None  # a text says why there is none
        super().__init__(SoupTree(markup), None, markup)

    def quick(self, selectors: Iterable[str]) -> "Page":
        """This page read twenty times as fast, if that is the same; to be asked for these selectors only.

        Where the page or a selector is one that only BeautifulSoup reads, it is this page itself.
        """
        try:
            tree = self._quick_tree()
            for selector in selectors:
                tree.compile(selector)
        except (Unlike, NotCompiled, SelectorSyntaxError) as why:
            log.debug("page left to BeautifulSoup", page=self.url, reason=str(why))
            return self
        page = copy(self)
        page.tree = tree
        return page

    def _quick_tree(self) -> LibxmlTree:
        if self._quick is None:
            try:
                self._quick = LibxmlTree(self._markup)
            except Unlike as why:
                self._quick = str(why)
        if isinstance(self._quick, str):
            raise Unlike(self._quick)
        return self._quick

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
