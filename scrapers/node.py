"""Selectors that count: what a page, or a part of it, is asked for its contents.

A selector (CSS) that finds nothing, or more than it should, is an error that names the page, the selector and what
was expected; a portal that was redesigned fails loudly. The idea is spatula's.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar, cast

from bs4 import NavigableString, Tag
from soupsieve import SelectorSyntaxError

from scrapers import values
from scrapers.address import is_web, join
from scrapers.errors import SelectorFailed, Unreadable
from scrapers.values import Order, Separator

T = TypeVar("T")

_INLINE = frozenset(
    [
        *("a", "abbr", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins", "kbd"),
        *(
            "label",
            "mark",
            "q",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
            "sub",
            "sup",
            "time",
            "tt",
            "u",
            "var",
        ),
    ]
)


class _Required:
    """The type of REQUIRED."""


REQUIRED: Final = _Required()
"""The default of a text that must be there."""


class Node:
    """A part of a page. Every selector looks below it; without a selector a method speaks of the part itself."""

    def __init__(self, tag: Tag, url: str, base: str) -> None:
        """`url` is the page's address, `base` what its relative links are read against."""
        self._tag = tag
        self._url = url
        self._base = base

    def all(self, selector: str, at_least: int = 0) -> list["Row"]:
        """Every part that matches, in the page's order; SelectorFailed when there are fewer than `at_least`."""
        found = self._found(selector)
        if len(found) < at_least:
            raise self._failed(selector, f"at least {at_least} expected, {len(found)} found")
        return [Row(tag, self._url, self._base) for tag in found]

    def one(self, selector: str) -> "Row":
        """The only part that matches; SelectorFailed when there is none, or more than one."""
        return Row(self._one(selector), self._url, self._base)

    def text(self, selector: str | None = None, default: str | _Required = REQUIRED) -> str:
        """The text of the only match, its white space made single spaces.

        `default` stands for a match that is missing or empty; without one that is a SelectorFailed.
        """
        return self._text(selector) or self._default(selector, "text", default)

    def attr(self, selector: str | None, name: str, default: str | _Required = REQUIRED) -> str:
        """An attribute of the only match; `default` stands for a missing match or attribute."""
        tag = self._at_most_one(selector)
        value = tag.get(name) if tag is not None else None
        if value is None:
            return self._default(selector, f"attribute {name!r}", default)
        return value if isinstance(value, str) else " ".join(value)

    def __getitem__(self, name: str) -> str:
        """An attribute of this part itself: `row["data-sku"]`."""
        return self.attr(None, name)

    def link(self, selector: str | None = None, attribute: str = "href") -> str:
        """The only match's link, absolute; in a feed, where links are text, the text. http and https only."""
        href = self.attr(selector, attribute, default="") or self._text(selector)
        if not href:
            raise self._failed(selector, f"attribute {attribute!r} expected, none found")
        try:
            address = join(self._base, href)
        except ValueError as error:
            raise self._failed(selector, f"a link expected, not {href[:100]!r}: {error}") from error
        if not is_web(address):
            raise self._failed(selector, f"a link with http or https expected, not {href[:100]!r}")
        return address

    def money(self, selector: str | None = None, decimal: Separator | None = None) -> Decimal:
        """The amount in the only match's text, read as `scrapers.values.money` does."""
        return self._value(selector, lambda text: values.money(text, decimal))

    def number(self, selector: str | None = None, decimal: Separator = ".") -> int | Decimal:
        """The number in the only match's text, read as `scrapers.values.number` does."""
        return self._value(selector, lambda text: values.number(text, decimal))

    def date(
        self,
        selector: str | None = None,
        order: Order | None = None,
        format: str | None = None,
        languages: Sequence[str] = ("en",),
    ) -> date:
        """The date in the only match's text, read as `scrapers.values.day` does: never guessed."""
        return self._value(selector, lambda text: values.day(text, order, format=format, languages=languages))

    def _found(self, selector: str) -> list[Tag]:
        try:
            return list(self._tag.select(selector))
        except SelectorSyntaxError as error:
            raise self._failed(selector, f"this is no CSS selector: {str(error).splitlines()[0]}") from error

    def _at_most_one(self, selector: str | None) -> Tag | None:
        if selector is None:
            return self._tag
        found = self._found(selector)
        if len(found) > 1:
            raise self._failed(selector, f"exactly 1 expected, {len(found)} found")
        return found[0] if found else None

    def _one(self, selector: str) -> Tag:
        tag = self._at_most_one(selector)
        if tag is None:
            raise self._failed(selector, "exactly 1 expected, none found")
        return tag

    def _text(self, selector: str | None) -> str:
        tag = self._at_most_one(selector)
        return readable(tag) if tag is not None else ""

    def _default(self, selector: str | None, what: str, default: str | _Required) -> str:
        if isinstance(default, str):
            return default
        raise self._failed(selector, f"{what} expected, none found")

    def _value(self, selector: str | None, read: Callable[[str], T]) -> T:
        try:
            return read(self.text(selector))
        except Unreadable as error:
            raise Unreadable(error.message, page=self._url, selector=selector) from error

    def _failed(self, selector: str | None, expectation: str) -> SelectorFailed:
        return SelectorFailed(expectation, page=self._url, selector=selector)


class Row(Node):
    """One part of a page: a table's row, a list's item, an entry of a feed."""


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
    while parent is not None and parent is not root and parent.name in _INLINE:
        parent = parent.parent
    return parent


def _broken(string: NavigableString) -> bool:
    before = string.previous_element
    return isinstance(before, Tag) and before.name == "br"
