"""What a page asks of its tree."""

from typing import Any, Protocol

Part = Any  # an element as the tree's library has it; None is the whole page


class Tree(Protocol):
    """A page's markup. Only the tree knows what a part is."""

    @property
    def base(self) -> str:
        """The address that relative links are read against."""
        ...

    def select(self, part: Part, selector: str, most: int | None = None) -> list[Part]:
        """The elements below `part` that match a CSS selector, in the page's order; the first `most` of them.

        Raises soupsieve's SelectorSyntaxError for what is none.
        """
        ...

    def attribute(self, part: Part, name: str) -> str | None:
        """An attribute as it is written; where it is a list of words (class, rel), with single spaces."""
        ...

    def text(self, part: Part) -> str:
        """The text as it reads: words of different blocks apart, white space made single spaces."""
        ...

    def says(self, part: Part, least: int) -> bool:
        """Whether the text has at least so many characters; found out without reading more than that."""
        ...


_PHRASE = """a abbr b bdi bdo big cite code data del dfn em font i ins kbd label mark q s samp small span strike strong
    sub sup time tt u var"""
INLINE = frozenset(_PHRASE.split())  # elements that do not part words
