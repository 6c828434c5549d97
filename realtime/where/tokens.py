"""A filter's text as tokens, each with its place."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from ingest_api.contract.errors import ContractError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number> -?[0-9]+(?:\.[0-9]+)? (?![\w.]) )
      | (?P<text>   "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
      | (?P<quoted> `(?:[^`\\]|\\.)+` )
      | (?P<word>   [^\W\d][\w-]* )
      | (?P<sign>   !=|<=|>=|[=<>~(),.] )
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class BadWhere(ContractError):
    """The filter is not one: see docs/views.md for the language."""

    code = "bad_where"


class Token(NamedTuple):
    """`kind` is number, text, quoted (a field in backquotes), word, sign, or end; `at` counts characters from 1."""

    kind: str
    value: str
    at: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens and an end; BadWhere at what is none."""
    text = text.rstrip()
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            rest = text[place:].lstrip()
            raise BadWhere(f"at character {len(text) - len(rest) + 1}: {_complaint(rest)}")
        kind, value = match.lastgroup, match.group(match.lastgroup)
        place = match.end()
        at = place - len(value) + 1
        if kind in ("text", "quoted"):
            value = _ESCAPE.sub(r"\1", value[1:-1])
        yield Token(kind, value, at)
    yield Token("end", "", len(text) + 1)


def _complaint(rest: str) -> str:
    if rest[0] in "\"'`":
        return f"this {rest[0]} is never closed"
    if rest[0].isdigit() or rest[0] == "-":
        return f"{rest.split()[0][:30]!r} is no number: write it like -12.5, or in quotes if it is text"
    return f"{rest[0]!r} means nothing here"
