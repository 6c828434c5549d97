"""The rows of one page, each read in a single pass, as long as they are as most rows are.

Whatever is not (a field that is missing or there twice, a text that is no value) is left to `Rows`, which reads the row
anew and says what is wrong with it. So there is one place that knows what is an error, and this is not it.
"""

from collections.abc import Callable

from ingest_api.contract import Entry
from scrapers.address import join_web
from scrapers.config import Field
from scrapers.errors import Unreadable
from scrapers.page import Page
from scrapers.rows import Rows, Value, reading
from scrapers.trees import LibxmlTree, Sweep
from scrapers.trees.tree import Part

Take = Callable[[list[Part]], Value | None]  # of what was found in a row, the row itself being the last


class Swift:
    """Entries of rows; None for a row that is for `Rows` to read."""

    @classmethod
    def of(cls, page: Page, rows: Rows) -> "Swift | None":
        """None where the page is read by BeautifulSoup."""
        return cls(page.tree, rows) if isinstance(page.tree, LibxmlTree) else None

    def __init__(self, tree: LibxmlTree, rows: Rows) -> None:
        self._tree = tree
        self._within = rows.within
        self._sweep = Sweep(tree, rows.within)
        self._key = self._take(rows.key)
        self._topic = rows.topic and self._take(rows.topic)
        self._url = rows.url and self._take(rows.url)
        self._fields = [(name, self._take(field), field.optional) for name, field in rows.fields.items()]

    def entry(self, row: Part) -> Entry | None:
        found = self._sweep.over(row)
        if found is None:
            return None
        found.append(row)
        try:
            data = self._data(found)
            key = self._key(found)
            topic = self._topic(found) if self._topic else None
            url = self._url(found) if self._url else None
        except (Unreadable, ValueError):
            return None
        if data is None or key is None or (self._topic and topic is None) or (self._url and url is None):
            return None
        return Entry(
            key=str(key),
            data=data,
            topic=str(topic) if self._topic else None,
            url=str(url) if self._url else None,
        )

    def _data(self, found: list[Part]) -> dict[str, Value] | None:
        data: dict[str, Value] = {}
        for name, take, optional in self._fields:
            value = take(found)
            if value is not None:
                data[name] = value
            elif not optional:
                return None
        return data

    def _take(self, field: Field) -> Take:
        """How the field is taken from what was found; None where its text or attribute is missing or empty. It raises
        Unreadable or ValueError for what only `Rows` can judge."""
        place = self._within.index(field.selector) if field.selector else -1
        if field.type == "link":
            return self._link(place, field)
        read, name, tree = reading(field), field.attribute, self._tree

        def take(found: list[Part]) -> Value | None:
            part = found[place]
            if part is None:
                return None
            said = tree.attribute(part, name) if name else tree.text(part)
            return read(said) if said else None

        return take

    def _link(self, place: int, field: Field) -> Take:
        name, tree = field.attribute or "href", self._tree

        def take(found: list[Part]) -> Value | None:
            part = found[place]
            if part is None:
                return None
            href = tree.attribute(part, name)
            if field.optional and not (href if field.attribute else tree.text(part)):
                return None
            address = join_web(tree.base, href) if href else None
            if address is None:
                raise Unreadable
            return address

        return take
