"""Selectors that count: what a page, or a part of it, is asked for its contents.

A selector (CSS) that finds nothing, or more than it should, is an error that names the page, the selector and what
was expected; a portal that was redesigned fails loudly. The idea is spatula's.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, TypeVar

from soupsieve import SelectorSyntaxError

from scrapers import values
from scrapers.address import join_web
from scrapers.errors import SelectorFailed, Unreadable
from scrapers.markup import Markup
from scrapers.trees import Tree
from scrapers.trees.tree import Part
from scrapers.values import Order, Separator

T = TypeVar("T")


class _Required:
    """The type of REQUIRED."""


REQUIRED: Final = _Required()
"""The default of a text that must be there."""


class Node:
    """A part of a page. Every selector looks below it; without a selector a method speaks of the part itself."""

    def __init__(self, tree: Tree, part: Part, markup: Markup) -> None:
        """`part` is the tree's, `markup` the page's, for an error to name its address and to bring its bytes along."""
        self.tree = tree
        self.part = part
        self._markup = markup

    def all(self, selector: str, at_least: int = 0) -> list["Row"]:
        """Every part that matches, in the page's order; SelectorFailed when there are fewer than `at_least`."""
        return [self.row(part) for part in self.parts(selector, at_least)]

    def parts(self, selector: str, at_least: int = 0) -> list[Part]:
        """The same, as the tree calls them."""
        found = self._found(selector)
        if len(found) < at_least:
            raise self._failed(selector, f"at least {at_least} expected, {len(found)} found")
        return found

    def has(self, selector: str) -> bool:
        """Whether anything matches."""
        return bool(self._found(selector, most=1))

    def says(self, least: int) -> bool:
        """Whether its text has at least so many characters."""
        return self.tree.says(self.part, least)

    def one(self, selector: str) -> "Row":
        """The only part that matches; SelectorFailed when there is none, or more than one."""
        return self.row(self._one(selector))

    def row(self, part: Part) -> "Row":
        """One of `parts`, to be asked itself."""
        return Row(self.tree, part, self._markup)

    def text(self, selector: str | None = None, default: str | _Required = REQUIRED) -> str:
        """The text of the only match, its white space made single spaces.

        `default` stands for a match that is missing or empty; without one that is a SelectorFailed.
        """
        return self._text(selector) or self._default(selector, "text", default)

    def attr(self, selector: str | None, name: str, default: str | _Required = REQUIRED) -> str:
        """An attribute of the only match; `default` stands for a missing match or attribute."""
        value = self._attribute(selector, name)
        return self._default(selector, f"attribute {name!r}", default) if value is None else value

    def __getitem__(self, name: str) -> str:
        """An attribute of this part itself: `row["data-sku"]`."""
        return self.attr(None, name)

    def link(self, selector: str | None = None, attribute: str = "href") -> str:
        """The only match's link, absolute; in a feed, where links are text, the text. http and https only."""
        href = self._attribute(selector, attribute) or self._text(selector)
        if not href:
            raise self._failed(selector, f"attribute {attribute!r} expected, none found")
        try:
            address = join_web(self.tree.base, href)
        except ValueError as error:
            raise self._failed(selector, f"a link expected, not {href[:100]!r}: {error}") from error
        if address is None:
            raise self._failed(selector, f"a link with http or https expected, not {href[:100]!r}")
        return address

    def money(self, selector: str | None = None, decimal: Separator | None = None) -> Decimal:
        """The amount in the only match's text, read as `scrapers.values.money` does."""
        return self.value(selector, lambda text: values.money(text, decimal))

    def number(self, selector: str | None = None, decimal: Separator = ".") -> int | Decimal:
        """The number in the only match's text, read as `scrapers.values.number` does."""
        return self.value(selector, lambda text: values.number(text, decimal))

    def date(
        self,
        selector: str | None = None,
        order: Order | None = None,
        format: str | None = None,
        languages: Sequence[str] = ("en",),
    ) -> date:
        """The date in the only match's text, read as `scrapers.values.day` does: never guessed."""
        return self.value(selector, lambda text: values.day(text, order, format=format, languages=languages))

    def value(self, selector: str | None, read: Callable[[str], T], attribute: str | None = None) -> T:
        """What `read` makes of the only match's text, or attribute; its Unreadable gets the page and selector."""
        text = self.attr(selector, attribute) if attribute else self.text(selector)
        try:
            return read(text)
        except Unreadable as error:
            markup = self._markup
            raise Unreadable(error.message, page=markup.url, selector=selector, body=markup.body) from error

    def _found(self, selector: str, most: int | None = None) -> list[Part]:
        try:
            return self.tree.select(self.part, selector, most)
        except SelectorSyntaxError as error:
            raise self._failed(selector, f"this is no CSS selector: {str(error).splitlines()[0]}") from error

    def _at_most_one(self, selector: str) -> Part | None:
        found = self._found(selector)
        if len(found) > 1:
            raise self._failed(selector, f"exactly 1 expected, {len(found)} found")
        return found[0] if found else None

    def _one(self, selector: str) -> Part:
        part = self._at_most_one(selector)
        if part is None:
            raise self._failed(selector, "exactly 1 expected, none found")
        return part

    def _text(self, selector: str | None) -> str:
        if selector is None:
            return self.tree.text(self.part)
        part = self._at_most_one(selector)
        return self.tree.text(part) if part is not None else ""

    def _attribute(self, selector: str | None, name: str) -> str | None:
        if selector is None:
            return self.tree.attribute(self.part, name)
        part = self._at_most_one(selector)
        return self.tree.attribute(part, name) if part is not None else None

    def _default(self, selector: str | None, what: str, default: str | _Required) -> str:
        if isinstance(default, str):
            return default
        raise self._failed(selector, f"{what} expected, none found")

    def _failed(self, selector: str | None, expectation: str) -> SelectorFailed:
        return SelectorFailed(expectation, page=self._markup.url, selector=selector, body=self._markup.body)


class Row(Node):
    """One part of a page: a table's row, a list's item, an entry of a feed."""
