"""An element of libxml2's tree, as BeautifulSoup would show it."""

from collections.abc import Callable
from typing import Any

from bs4.builder import HTMLTreeBuilder

Element = Any  # lxml's _Element
Test = Callable[[Element], bool]

_WORDS = HTMLTreeBuilder.DEFAULT_CDATA_LIST_ATTRIBUTES  # element, or "*" -> its attributes that are lists of words
_WORDS_OF_ALL = frozenset(_WORDS["*"])
_WORDS_OF_ANY = frozenset(name for names in _WORDS.values() for name in names)


def attribute(element: Element, name: str) -> str | None:
    """Its value: a list of words with single spaces, anything else as it is written."""
    value: str | None = element.get(name)
    if value is None or name not in _WORDS_OF_ANY:
        return value
    listed = name in _WORDS_OF_ALL or name in _WORDS.get(element.tag, ())
    return " ".join(value.split()) if listed else value
