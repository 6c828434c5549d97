"""JSON cut into pieces that are not read: the members of an object, the items of a list.

For a text that the strict reader refuses as a whole because of one piece of it: a NaN, half a surrogate, a nesting
deeper than it follows. Brackets are counted and strings passed over, both without going back, so that no text takes
longer than its length.
"""

import json
import re
import sys
from collections.abc import Iterator
from itertools import islice

_SPACE = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_WORD = re.compile(rb'[^\s,:"\[\]{}]++')
_BRACKETS = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[{]++|[\]}]++)', re.DOTALL)


class Uncut(ValueError):
    """The text does not have that form."""


def members(text: bytes) -> dict[str, bytes]:
    """The members of an object, by name; of two with one name the last. Raises Uncut."""
    cutter = _Cutter(text)
    found: dict[str, bytes] = {}
    for _ in cutter.each(b"{", b"}"):
        name = _read(cutter.match(_STRING))
        cutter.need(b":")
        found[name] = cutter.value()
    return found


def items(text: bytes, most: int = sys.maxsize) -> list[bytes]:
    """The items of a list; what comes after `most` of them is not looked at. Raises Uncut."""
    cutter = _Cutter(text)
    return list(islice((cutter.value() for _ in cutter.each(b"[", b"]")), most))


def joined(parts: dict[str, bytes]) -> bytes:
    """An object of these members."""
    return b"{" + b",".join(json.dumps(name).encode() + b":" + part for name, part in parts.items()) + b"}"


def _read(name: bytes) -> str:
    try:
        text: str = json.loads(name)
    except ValueError as error:
        raise Uncut from error
    return text


class _Cutter:
    """Goes through a text from its beginning to its end."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    def each(self, opening: bytes, closing: bytes) -> Iterator[None]:
        """Stands before each piece between two brackets, in turn; the text ends with the second."""
        self.need(opening)
        if not self._has(closing):
            yield
            while self._has(b","):
                yield
            self.need(closing)
        self.match(_SPACE)
        if self._at < len(self._text):
            raise Uncut

    def need(self, sign: bytes) -> None:
        if not self._has(sign):
            raise Uncut

    def match(self, pattern: re.Pattern[bytes]) -> bytes:
        """What of the pattern comes next, after space."""
        self._skip()
        found = pattern.match(self._text, self._at)
        if found is None:
            raise Uncut
        self._at = found.end()
        return found[0]

    def value(self) -> bytes:
        """The value that comes next."""
        self._skip()
        first = self._text[self._at : self._at + 1]
        if first in (b"[", b"{"):
            return self._nested()
        return self.match(_STRING if first == b'"' else _WORD)

    def _nested(self) -> bytes:
        begin, depth = self._at, 0
        while found := _BRACKETS.match(self._text, self._at):
            run = len(found[1])
            if found[1][:1] in b"[{":
                depth += run
            elif run < depth:
                depth -= run
            else:
                self._at = found.start(1) + depth
                return self._text[begin : self._at]
            self._at = found.end()
        raise Uncut

    def _has(self, sign: bytes) -> bool:
        self._skip()
        there = self._text.startswith(sign, self._at)
        self._at += there
        return there

    def _skip(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at
