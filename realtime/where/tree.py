"""A filter as a tree: what it says of an entry, and the one text that all filters saying the same share."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Protocol

from realtime.where.values import Literal, leaves, number, written

WORDS = frozenset({"and", "or", "not", "in", "exists", "true", "false"})
OWN = ("key", "topic")  # an entry's own fields; its data's of these names are data.key and data.topic
_PLAIN = re.compile(r"[^\W\d][\w-]*")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class Subject:
    """An entry as a filter sees it. `fields` is its data, decoded (`values.fields_of`)."""

    key: str
    topic: str | None
    fields: Mapping[str, Any]


class Filter(Protocol):
    """A tree, or a branch of one."""

    @property
    def text(self) -> str:
        """Its canonical text: equal for filters that differ in order, spacing, quoting or the form of numbers."""

    def holds(self, entry: Subject) -> bool:
        """Whether it is true of an entry."""


@dataclass(frozen=True)
class Field:
    """`price`, `size.width`: where in the data, or the entry's own key or topic."""

    path: tuple[str, ...]
    own: bool = False

    @cached_property
    def text(self) -> str:
        first = self.path[0]
        doubtful = not self.own and (first in (*OWN, "data"))
        return ".".join((["data"] if doubtful else []) + [_named(name) for name in self.path])

    def values(self, entry: Subject) -> Iterator[Any]:
        if not self.own:
            return leaves(entry.fields, self.path)
        return leaves(entry.key if self.path == ("key",) else entry.topic)


def _named(name: str) -> str:
    if _PLAIN.fullmatch(name) and name.lower() not in WORDS:
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


@dataclass(frozen=True)
class Comparison:
    """`field operator value`, by one of = ~ < <= > >=."""

    field: Field
    by: str
    value: Literal

    @cached_property
    def text(self) -> str:
        return f"{self.field.text} {self.by} {written(self.value)}"

    def holds(self, entry: Subject) -> bool:
        return any(self._true_of(value) for value in self.field.values(entry))

    def _true_of(self, value: Any) -> bool:
        if self.by == "=":
            return equal(value, self.value)
        if self.by == "~":
            return isinstance(value, str) and str(self.value) in value.casefold()
        before = _ORDER[self.by]
        if isinstance(self.value, Decimal):
            known = number(value)
            return known is not None and before(known, self.value)
        return isinstance(value, str) and before(value, self.value)


@dataclass(frozen=True)
class OneOf:
    """`field in (value, …)`; two values or more, sorted by their text, none twice."""

    field: Field
    values: tuple[Literal, ...]

    @cached_property
    def text(self) -> str:
        return f"{self.field.text} in ({', '.join(written(value) for value in self.values)})"

    def holds(self, entry: Subject) -> bool:
        return any(equal(value, one) for value in self.field.values(entry) for one in self.values)


@dataclass(frozen=True)
class Exists:
    """`field exists`: it is there, and not null."""

    field: Field

    @cached_property
    def text(self) -> str:
        return f"{self.field.text} exists"

    def holds(self, entry: Subject) -> bool:
        return any(True for _ in self.field.values(entry))


@dataclass(frozen=True)
class Not:
    """`not filter`."""

    of: Filter

    @cached_property
    def text(self) -> str:
        return f"not ({self.of.text})" if isinstance(self.of, Joined) else f"not {self.of.text}"

    def holds(self, entry: Subject) -> bool:
        return not self.of.holds(entry)


@dataclass(frozen=True)
class Joined:
    """Two filters or more, sorted by their text, none twice and none of the same kind as this one."""

    word: ClassVar[str]
    of: tuple[Filter, ...]

    @cached_property
    def text(self) -> str:
        return f" {self.word} ".join(self._inner(one) for one in self.of)

    def _inner(self, one: Filter) -> str:
        return f"({one.text})" if isinstance(one, AnyOf) else one.text


class AllOf(Joined):
    """`filter and filter and …`"""

    word = "and"

    def holds(self, entry: Subject) -> bool:
        return all(one.holds(entry) for one in self.of)


class AnyOf(Joined):
    """`filter or filter or …`"""

    word = "or"

    def holds(self, entry: Subject) -> bool:
        return any(one.holds(entry) for one in self.of)


def equal(value: Any, literal: Literal) -> bool:
    """A number equals every spelling of itself, text equals the very same text."""
    if isinstance(literal, Decimal):
        known = number(value)
        return known is not None and known == literal
    return type(value) is type(literal) and bool(value == literal)


def joined(kind: type[AllOf] | type[AnyOf], of: Iterable[Filter]) -> Filter:
    """The filters put together, in canonical form."""
    flat: dict[str, Filter] = {}
    for one in of:
        for part in one.of if isinstance(one, kind) else (one,):
            flat[part.text] = part
    parts = tuple(flat[text] for text in sorted(flat))
    return parts[0] if len(parts) == 1 else kind(parts)


def negated(one: Filter) -> Filter:
    return one.of if isinstance(one, Not) else Not(one)


def one_of(field: Field, values: Iterable[Literal]) -> Filter:
    """A membership in canonical form."""
    each = {written(value): value for value in values}
    found = tuple(each[text] for text in sorted(each))
    return Comparison(field, "=", found[0]) if len(found) == 1 else OneOf(field, found)
