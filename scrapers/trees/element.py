"""An element of libxml2's tree, as BeautifulSoup would show it."""

from collections.abc import Callable
from typing import Any

from bs4.builder import HTMLTreeBuilder

Element = Any  # lxml's _Element
Test = Callable[[Element], bool]

_WORDS = HTMLTreeBuilder.DEFAULT_CDATA_LIST_ATTRIBUTES  # element, or "*" -> its attributes that are lists of words
_WORDS_OF_ALL = frozenset(_WORDS["*"])


def attribute(element: Element, name: str) -> str | None:
    """Its value: a list of words with single spaces, anything else as it is written."""
    value: str | None = element.get(name)
    if value is None or not (name in _WORDS_OF_ALL or name in _WORDS.get(element.tag, ())):
        return value
    return " ".join(value.split())
