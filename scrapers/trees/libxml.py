"""The tree of libxml2, without BeautifulSoup's around it.

BeautifulSoup is given every element by this very parser, one by one, and builds a tree of Python's objects of them. The
parser can build its own of the same elements, in a twentieth of the time. Where the two could differ, or BeautifulSoup
has rules of its own, the page is Unlike and left to it. lexbor, which is as fast, reads broken HTML in another way:
it is no choice for pages that have been read by BeautifulSoup.
"""

from codecs import BOM_UTF8
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import islice

from bs4.builder import HTMLTreeBuilder
from lxml import etree

from scrapers.address import join
from scrapers.markup import Markup
from scrapers.trees.element import Element, attribute
from scrapers.trees.selector import Compiler, Query
from scrapers.trees.tree import INLINE

_CODE = frozenset(["script", "style"])  # what they hold is no text of anything around them
_APART = tuple(HTMLTreeBuilder.DEFAULT_STRING_CONTAINERS.keys() - _CODE)  # BeautifulSoup's rules for these are longer


class Unlike(Exception):
    """This page's tree may not be the one that BeautifulSoup has."""


class LibxmlTree:
    """The tree of an HTML page. Raises Unlike."""

    def __init__(self, markup: Markup) -> None:
        self._url = markup.url
        self._roots = _parsed(markup)
        self._compiler = Compiler(self._roots)
        self._queries: dict[str, Query] = {}
        self._part: Element = None  # the one that is indexed
        self._below: defaultdict[str, list[Element]] = defaultdict(list)  # key -> elements below it

    def compile(self, selector: str) -> Query:
        """Raises NotCompiled, or soupsieve's SelectorSyntaxError."""
        query = self._queries.get(selector)
        if query is None:
            query = self._queries[selector] = self._compiler.query(selector)
        return query

    @cached_property
    def base(self) -> str:
        bases = (base for root in self._roots for base in root.iter("base"))
        named = next((base for base in bases if base.get("href") is not None), None)
        return self._url if named is None else join(self._url, named.get("href"))

    def select(self, part: Element | None, selector: str, most: int | None = None) -> list[Element]:
        """Raises NotCompiled too."""
        query = self.compile(selector)
        self.look_from(part)
        if part is None:
            return list(islice(self._compiler.everywhere(query), most))
        candidates = self._index(part)[query.key]
        return list(islice(candidates if query.test is None else filter(query.test, candidates), most))

    def look_from(self, part: Element | None) -> None:
        """What follows is asked of this part: `:scope` means it."""
        self._compiler.scope = self._roots[0] if part is None else part

    def attribute(self, part: Element | None, name: str) -> str | None:
        return None if part is None else attribute(part, name)

    def text(self, part: Element | None) -> str:
        if part is not None and _is_inline(part):
            return " ".join(etree.tostring(part, encoding="unicode", method="text", with_tail=False).split())
        words: list[str] = []
        last: Element = None
        for element in self._roots if part is None else [part]:
            last, _ = _gather(element, element, last, words)
        return " ".join("".join(words).split())

    def texts(self, parts: Iterable[Element | None]) -> list[str | None]:
        """The text of each, None where there is no part. Most hold nothing but words."""
        text = self.text
        return [
            None if part is None else text(part) if len(part) else " ".join((part.text or "").split()) for part in parts
        ]

    def says(self, part: Element | None, least: int) -> bool:
        count = 0
        for root in self._roots if part is None else [part]:
            for element in root.iter("*"):
                if element.text and element.tag not in _CODE:
                    count += sum(map(len, element.text.split()))  # neither spaces nor what follows: at least so many
                    if count >= least:
                        return True
        return len(self.text(part)) >= least

    def keys(self, tag: str, classes: str | None) -> set[str]:
        """All that an element of this kind has."""
        return {"*", tag, *(f".{word}" for word in self._compiler.classes(classes))}

    def _index(self, part: Element) -> defaultdict[str, list[Element]]:
        """One pass over a row, for all that is asked of it."""
        if part is not self._part:
            self._part, self._below = part, defaultdict(list)
            for element in part.iterdescendants("*"):
                for key in self.keys(element.tag, element.get("class")):
                    self._below[key].append(element)
        return self._below


def _parsed(markup: Markup) -> list[Element]:
    """The outermost elements, parsed with the settings that BeautifulSoup has."""
    body, encoding = markup.body, markup.encoding
    if markup.is_xml:
        raise Unlike("it is XML")
    if encoding is None:
        body, encoding = body.removeprefix(BOM_UTF8), "utf-8"
        if body is markup.body:
            raise Unlike("it is UTF-16")
    try:
        parser = etree.HTMLParser(encoding=encoding, collect_ids=False)  # nobody asks it for an id
        parser.feed(body)
        root = parser.close()
    except (LookupError, etree.LxmlError) as error:
        raise Unlike(f"it does not parse: {error}") from error
    if root is None or len(parser.feed_error_log.filter_from_fatals()):
        raise Unlike("it holds nothing, or is more than the parser makes a tree of")
    roots = [*root.itersiblings("*", preceding=True), root, *root.itersiblings("*")]
    special = next((element for root in roots for element in root.iter(*_APART)), None)
    if special is not None:
        raise Unlike(f"it has a <{special.tag}>")
    return roots


def _is_inline(part: Element) -> bool:
    """Whether nothing in it parts words: no block, no line break, no comment."""
    for element in part.iterdescendants():  # noqa: SIM110 - a generator takes twice as long
        if element.tag not in INLINE:
            return False
    return True


def _gather(element: Element, block: Element, last: Element, words: list[str]) -> tuple[Element, bool]:
    """Adds the texts of an element, which belong to `block` but where another begins; before each that belongs to
    another block than the `last` text, or begins a line, a space. Gives the block of the last text now, and whether
    nothing came since a <br>."""
    if element.text:
        if block is not last:
            words.append(" ")
            last = block
        words.append(element.text)
    broken = element.tag == "br"
    for child in element:
        tag = child.tag
        if tag.__class__ is str and tag not in _CODE:
            last, broken = _gather(child, block if tag in INLINE else child, last, words)
        else:  # a comment, or code
            broken = False
        if child.tail:
            if broken or block is not last:
                words.append(" ")
                last = block
                broken = False
            words.append(child.tail)
    return last, broken
