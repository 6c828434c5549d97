"""The rows of a page read at once, field by field, as long as they are all as rows should be.

Whatever is not (a field that is missing or there twice, a text that is no value) makes the page Odd, and it is left to
`Rows`, which reads it row by row and says what is wrong. So there is one place that knows what is an error, and this is
not it.
"""

from collections.abc import Sequence
from functools import partial

from ingest_api.contract import Entry
from scrapers.address import join_web
from scrapers.config import Field
from scrapers.errors import Unreadable
from scrapers.page import Page
from scrapers.rows import Rows, Value, reading
from scrapers.trees import LibxmlTree, Sweep
from scrapers.trees.tree import Part

Column = Sequence[Value | None]  # of every row


class Odd(Exception):
    """Only `Rows` can judge this page."""


def swiftly(page: Page, parts: Sequence[Part], rows: Rows) -> list[Entry] | None:
    """The entries of a page's rows; None for a page that is for `Rows` to read."""
    if not isinstance(page.tree, LibxmlTree):
        return None
    try:
        return _Swift(page.tree, parts, rows).entries()
    except (Odd, Unreadable):
        return None


class _Swift:
    def __init__(self, tree: LibxmlTree, parts: Sequence[Part], rows: Rows) -> None:
        """Raises Odd."""
        self._tree = tree
        self._parts = parts
        self._rows = rows
        sweep = Sweep(tree, rows.within)
        found = [sweep.over(part) for part in parts]
        if None in found:
            raise Odd
        self._found = dict(zip(rows.within, zip(*found, strict=True), strict=bool(parts)))  # selector -> a part a row

    def entries(self) -> list[Entry]:
        """Raises Odd, Unreadable."""
        rows, nothing = self._rows, [None] * len(self._parts)
        keys = _whole(self._column(rows.key))
        topics = _whole(self._column(rows.topic)) if rows.topic else nothing
        urls = _whole(self._column(rows.url)) if rows.url else nothing
        columns = [self._column(field) for field in rows.fields.values()]
        for field, column in zip(rows.fields.values(), columns, strict=True):
            if not field.optional:
                _whole(column)
        return [
            Entry(
                key=str(key),
                data={name: value for name, value in zip(rows.fields, values, strict=True) if value is not None},
                topic=None if topic is None else str(topic),
                url=None if url is None else str(url),
            )
            for key, topic, url, *values in zip(keys, topics, urls, *columns, strict=True)
        ]

    def _column(self, field: Field) -> Column:
        """A field of each row; None where its text or attribute is missing or empty."""
        parts = self._found.get(field.selector, ()) if field.selector else self._parts
        if field.type == "link":
            return [self._link(part, field) for part in parts]
        read, name, tree = reading(field), field.attribute, self._tree
        ask = partial(tree.attribute, name=name) if name else tree.text
        said = [None if part is None else ask(part) for part in parts]
        return [read(text) if text else None for text in said]

    def _link(self, part: Part, field: Field) -> str | None:
        if part is None:
            return None
        href = self._tree.attribute(part, field.attribute or "href")
        if not href and field.optional and (field.attribute or not self._tree.text(part)):
            return None
        try:
            address = join_web(self._tree.base, href) if href else None
        except ValueError as error:
            raise Odd from error
        if address is None:
            raise Odd
        return address


def _whole(column: Column) -> Column:
    if any(value is None for value in column):
        raise Odd
    return column
