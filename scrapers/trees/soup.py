"""The tree that BeautifulSoup makes: the one that decides what a page means."""

from collections.abc import Iterator
from functools import cached_property
from typing import cast

from bs4 import BeautifulSoup, NavigableString, Tag

from scrapers.address import join
from scrapers.markup import Markup
from scrapers.trees.tree import INLINE


class SoupTree:
    """Parsed when it is first asked."""

    def __init__(self, markup: Markup) -> None:
        self._markup = markup

    @cached_property
    def base(self) -> str:
        url = self._markup.url
        named = None if self._markup.is_xml else self._soup.select_one("base[href]")
        return join(url, str(named["href"])) if named else url

    def select(self, part: Tag | None, selector: str, most: int | None = None) -> list[Tag]:
        return list(self._tag(part).select(selector, limit=most or 0))

    def attribute(self, part: Tag | None, name: str) -> str | None:
        value = self._tag(part).get(name)
        return value if isinstance(value, str) or value is None else " ".join(value)

    def text(self, part: Tag | None) -> str:
        return readable(self._tag(part))

    def says(self, part: Tag | None, least: int) -> bool:
        return len(self.text(part)) >= least

    @cached_property
    def _soup(self) -> BeautifulSoup:
        markup = self._markup
        return BeautifulSoup(markup.body, "xml" if markup.is_xml else "lxml", from_encoding=markup.encoding)

    def _tag(self, part: Tag | None) -> Tag:
        return self._soup if part is None else part


def readable(tag: Tag) -> str:
    """The text of `tag` as it reads: words of different blocks apart, white space made single spaces."""
    words: list[str] = []
    block: Tag | None = None
    for string in cast(Iterator[NavigableString], tag.strings):
        nearest = _block(string, tag)
        if nearest is not block or _broken(string):
            words.append(" ")
        block = nearest
        words.append(string)
    return " ".join("".join(words).split())


def _block(string: NavigableString, root: Tag) -> Tag | None:
    parent = string.parent
    while parent is not None and parent is not root and parent.name in INLINE:
        parent = parent.parent
    return parent


def _broken(string: NavigableString) -> bool:
    before = string.previous_element
    return isinstance(before, Tag) and before.name == "br"
