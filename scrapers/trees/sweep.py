"""Several selectors at once: one pass over a row finds what each of them is to find."""

from collections.abc import Sequence

from scrapers.trees.element import Element, Test
from scrapers.trees.libxml import LibxmlTree

Wanted = tuple[tuple[int, Test | None], ...]  # the selectors that an element may match, and what else each asks of it


class Sweep:
    """The only match of each selector below a row."""

    def __init__(self, tree: LibxmlTree, selectors: Sequence[str]) -> None:
        """Raises NotCompiled, or soupsieve's SelectorSyntaxError."""
        self._tree = tree
        self._queries = [tree.compile(selector) for selector in selectors]
        self._wanted: dict[tuple[str, str | None], Wanted] = {}  # tag, class; for rows are alike

    def over(self, part: Element) -> list[Element | None] | None:
        """In the order of the selectors, None for one without a match; nothing at all when one has several."""
        found: list[Element | None] = [None] * len(self._queries)
        known = self._wanted
        self._tree.look_from(part)
        for element in part.iterdescendants("*"):
            kind = (element.tag, element.get("class"))
            try:
                wanted = known[kind]
            except KeyError:
                wanted = known[kind] = self._by_kind(*kind)
            for n, test in wanted:
                if test is None or test(element):
                    if found[n] is not None:
                        return None
                    found[n] = element
        return found

    def _by_kind(self, tag: str, classes: str | None) -> Wanted:
        keys = self._tree.keys(tag, classes)
        return tuple((n, query.test) for n, query in enumerate(self._queries) if query.key in keys)
