"""CSS selectors as functions of an element of libxml2's tree.

soupsieve, which BeautifulSoup asks, reads the selector here too: what it means is read once, and by nobody else. What
is made of it here are tags, ids, classes, attributes, places among siblings, `:not`, `:is`, `:has`, `:scope` and
combinators. All else is left to soupsieve: NotCompiled.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import soupsieve
from lxml import etree
from soupsieve import css_types

from scrapers.trees import relation
from scrapers.trees.element import Element, Test, attribute

_UNDERSTOOD = {
    *("tag", "ids", "classes", "attributes", "nth", "selectors", "relation", "rel_type", "contains", "lang", "flags"),
    "_hash",
}
_OF_CLASS = etree.XPath("descendant-or-self::*[contains(@class, $value)]")


class NotCompiled(Exception):
    """This selector is left to soupsieve."""


@dataclass(frozen=True)
class Query:
    """A selector. Only elements with its `key` (a class as .class, else a tag; "*" is all) can match, and those do for
    which `test` says so; all of them where there is none. The same with its `tag` and `test_of_tag`."""

    key: str
    test: Test | None
    tag: str
    test_of_tag: Test | None


class Compiler:
    """Selectors for one page: what they remember of it is worth nothing on another."""

    def __init__(self, roots: list[Element]) -> None:
        """`roots` are the page's outermost elements: a second one holds what comes after </html>."""
        self.roots = roots
        self.scope = roots[0]  # what `:scope` means
        self._classes: dict[str, frozenset[str]] = {}  # attribute -> its words

    def query(self, selector: str) -> Query:
        """Raises NotCompiled, or soupsieve's SelectorSyntaxError for what is no selector."""
        try:
            listed = soupsieve.compile(selector).selectors
        except NotImplementedError as error:
            raise NotCompiled(str(error)) from error
        if len(listed) != 1:
            test = self._listed(listed)
            return Query("*", test, "*", test)
        keyed, others = self._tests(_plain(listed[0]))
        key = min(keyed, key=lambda key: not key.startswith("."))
        tag = max(keyed, key=lambda key: not key.startswith("."))
        tag = "*" if tag.startswith(".") else tag

        def besides(known: str) -> Test | None:
            tests = [*[test for each, test in keyed.items() if each != known], *others]
            return _all(tests) if tests else None

        return Query(key, besides(key), tag, besides(tag))

    def everywhere(self, query: Query) -> Iterator[Element]:
        """Every element of the page that matches, in order."""
        test = query.test_of_tag
        for root in self.roots:
            by_class = query.tag == "*" and query.key != "*"
            candidates = _OF_CLASS(root, value=query.key[1:]) if by_class else root.iter(query.tag)
            yield from filter(test, candidates) if test else candidates

    def _everything(self) -> Iterator[Element]:
        for root in self.roots:
            yield from root.iter("*")

    def classes(self, text: str | None) -> frozenset[str]:
        """The words of a class attribute."""
        if not text:
            return frozenset()
        known = self._classes.get(text)
        if known is None:
            known = self._classes[text] = frozenset(text.split())
        return known

    def _listed(self, listed: css_types.SelectorList) -> Test:
        """One of the list matches; or, in `:not`, none."""
        if listed.is_html or not len(listed):
            raise NotCompiled("a pseudo-class")
        tests = [self._like(_plain(each)) for each in listed]
        if listed.is_not:
            return lambda element: not any(test(element) for test in tests)
        return tests[0] if len(tests) == 1 else lambda element: any(test(element) for test in tests)

    def _like(self, selector: css_types.Selector) -> Test:
        keyed, others = self._tests(selector)
        return _all([*keyed.values(), *others])

    def _tests(self, selector: css_types.Selector) -> tuple[dict[str, Test], list[Test]]:
        """What an element must be, all of it: its keys with a test for each, and whatever else."""
        keyed = {f".{name}": self._has_class(name) for name in selector.classes}
        key, test = _tag(selector.tag)
        if key != "*" or not keyed:
            keyed[key] = test
        others = [_has_id(name) for name in selector.ids]
        others += [_has_attribute(each) for each in selector.attributes]
        others += [self._placed(each) for each in selector.nth]
        others += [self._listed(each) for each in selector.selectors]
        others += [self._related(_plain(each)) for each in selector.relation]
        if selector.flags & css_types.SEL_SCOPE:
            others.append(lambda element: element is self.scope)
        return keyed, others

    def _has_class(self, name: str) -> Test:
        known: dict[str | None, bool] = {}  # attribute -> whether the name is one of its words

        def test(element: Element) -> bool:
            written = element.get("class")
            if written not in known:
                known[written] = name in self.classes(written)
            return known[written]

        return test

    def _placed(self, nth: css_types.SelectorNth) -> Test:
        """Its place among its siblings, or among those with its tag."""
        for each in map(_plain, nth.selectors):
            keyed, others = self._tests(each)
            if others or keyed.keys() != {"*"}:
                raise NotCompiled("a place among chosen siblings")
        places: dict[tuple[Element | None, str], dict[Element, int]] = {}

        def test(element: Element) -> bool:
            above, tag = key = (element.getparent(), element.tag if nth.of_type else "*")
            if key not in places:
                siblings = [child for child in self._children(above) if tag in ("*", child.tag)]
                places[key] = {child: n for n, child in enumerate(siblings[:: -1 if nth.last else 1], 1)}
            return _fits(nth, places[key][element])

        return test

    def _children(self, above: Element | None) -> Iterable[Element]:
        return self.roots if above is None else above.iterchildren("*")

    def _related(self, other: css_types.Selector) -> Test:
        """There is an element in the relation that `other` names, and it is like it."""
        test = self._like(other)
        match other.rel_type, _uses_scope(other):
            case ">", _:
                return relation.parent(test)
            case " ", False:
                return relation.ancestor(test)
            case " ", True:
                return relation.ancestor_anew(test)
            case "+", _:
                return relation.neighbour(test, before=True)
            case "~", False:
                return relation.earlier_sibling(test, self._children)
            case ": ", False:
                return relation.descendant(test, self._everything)
            case ":>", _:
                return relation.child(test)
            case ":+", _:
                return relation.neighbour(test, before=False)
        raise NotCompiled("a relation")


def _plain(selector: css_types.Selector | css_types.SelectorNull) -> css_types.Selector:
    """Raises NotCompiled for what is not made of parts that are understood here."""
    if not isinstance(selector, css_types.Selector) or set(selector.__slots__) != _UNDERSTOOD:
        raise NotCompiled("a selector of nothing, or another release of soupsieve")
    if selector.contains or selector.lang or selector.flags & ~css_types.SEL_SCOPE:
        raise NotCompiled("a pseudo-class")
    return selector


def _all(tests: list[Test]) -> Test:
    """All of them pass."""
    if len(tests) == 1:
        return tests[0]
    first, rest = tests[0], _all(tests[1:])
    return lambda element: first(element) and rest(element)


def compiles(selector: str) -> bool:
    """Whether this is a selector that is understood here; on pages without anything in them it is then compiled too."""
    try:
        Compiler([etree.Element("html")]).query(selector)
    except (NotCompiled, soupsieve.SelectorSyntaxError):
        return False
    return True


def _tag(tag: css_types.SelectorTag | None) -> tuple[str, Test]:
    """The tag's key, "*" for any, and its test."""
    if tag is None or (tag.name == "*" and tag.prefix in (None, "*")):
        return "*", lambda element: True
    if tag.prefix not in (None, "*") or not _is_simple(tag.name):
        raise NotCompiled("a namespace, or a name beyond ASCII")
    name = tag.name.lower()
    return name, lambda element: bool(element.tag == name)


def _has_id(name: str) -> Test:
    return lambda element: bool(element.get("id", "") == name)


def _has_attribute(wanted: css_types.SelectorAttribute) -> Test:
    if wanted.prefix or not _is_simple(wanted.attribute):
        raise NotCompiled("a namespace, or a name beyond ASCII")
    name, pattern = wanted.attribute.lower(), wanted.pattern
    ignore_case = getattr(wanted, "ignore_case", False)  # older releases of soupsieve have it in the pattern
    inverse = wanted.inverse

    def test(element: Element) -> bool:
        value = attribute(element, name)
        if value is None or pattern is None:
            return value is not None or inverse
        return pattern.search(_lower(value) if ignore_case else value) is not None

    return test


def _is_simple(name: str) -> bool:
    return name.isascii() and not name.startswith("{")  # lxml would take it for a namespace


def _lower(text: str) -> str:
    """ASCII letters only, as attributes are compared."""
    return text.lower() if text.isascii() else "".join(c.lower() if c.isascii() else c for c in text)


def _fits(nth: css_types.SelectorNth, place: int) -> bool:
    if not nth.a:
        return place == nth.b
    steps, rest = divmod(place - nth.b, nth.a)
    return not rest and steps >= 0


def _uses_scope(selector: css_types.Selector) -> bool:
    lists = [selector.relation, *selector.selectors]
    inner = [each for listed in lists for each in listed if isinstance(each, css_types.Selector)]
    return bool(selector.flags & css_types.SEL_SCOPE) or any(map(_uses_scope, inner))
