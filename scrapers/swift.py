"""The rows of a page read at once, field by field, as long as they are all as rows should be.

Whatever is not (a field that is missing or there twice, a text that is no value) makes the page Odd, and it is left to
`Rows`, which reads it row by row and says what is wrong. So there is one place that knows what is an error, and this is
not it.
"""

from collections.abc import Sequence
from itertools import repeat

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
        rows, count = self._rows, len(self._parts)
        keys = self._whole(rows.key)
        topics = self._whole(rows.topic) if rows.topic else repeat(None, count)
        urls = self._whole(rows.url) if rows.url else repeat(None, count)
        columns = [self._column(field) if field.optional else self._whole(field) for field in rows.fields.values()]
        return [
            Entry(
                key=str(key),
                data={name: value for name, value in zip(rows.fields, values, strict=True) if value is not None},
                topic=None if topic is None else str(topic),
                url=None if url is None else str(url),
            )
            for key, topic, url, *values in zip(keys, topics, urls, *columns, strict=True)
        ]

    def _whole(self, field: Field) -> Column:
        """A field that each row must have. Raises Odd, Unreadable."""
        if field.type == "link":
            links = self._links(field)
            if None in links:
                raise Odd
            return links
        said = [text for text in self._said(field) if text]
        if len(said) != len(self._parts):
            raise Odd
        return list(map(reading(field), said))

    def _column(self, field: Field) -> Column:
        """A field of each row; None where its text or attribute is missing or empty. Raises Odd, Unreadable."""
        if field.type == "link":
            return self._links(field)
        read = reading(field)
        return [read(text) if text else None for text in self._said(field)]

    def _said(self, field: Field) -> Sequence[str | None]:
        """A field's text or attribute, in each row."""
        parts, name = self._of(field), field.attribute
        return [self._tree.attribute(part, name) for part in parts] if name else self._tree.texts(parts)

    def _of(self, field: Field) -> Sequence[Part | None]:
        return self._found.get(field.selector, ()) if field.selector else self._parts

    def _links(self, field: Field) -> list[str | None]:
        return [self._link(part, field) for part in self._of(field)]

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
