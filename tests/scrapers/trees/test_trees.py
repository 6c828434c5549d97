"""Both trees say the same: every element, attribute and text of pages as they come, for every selector."""

import pytest
from bs4 import BeautifulSoup, Tag
from hypothesis import given, settings
from hypothesis import strategies as some
from lxml import etree

from scrapers.markup import Markup
from scrapers.trees import LibxmlTree, NotCompiled, SoupTree, Unlike
from scrapers.trees.tree import Part, Tree
from tests.scrapers.trees import markup as html

URL = "https://shop.example/list/page"
SELECTORS = (
    *("*", "td", "TD", "o\\:p", ".x", ".x.y", "td.x", "#i", "p#i.x", "[href]", "[headers]", "[class]", ".nowhere"),
    *("[class='x y']", "[class~=x]", "[class^=x]", "[href$='1 ']", "[rel='next prev']", "[href!='/x']", "[TITLE=x]"),
    *("input[type=password]", "input[type='PASSWORD' s]", "[id=I i]", "[class*=' ']", "a:not([href])"),
    *(
        "tr td",
        "tr > td",
        "td + td",
        "td ~ td",
        "p ~ *",
        "html > body",
        "div div",
        "table tr > .x",
        "div p b",
        "ul * a",
    ),
    *(":scope > td", ":scope td", ":scope > .x b", "table :scope td", ":scope > * > td"),
    *("li:first-child", "td:last-child", "p:only-child", "td:nth-of-type(2)", "td:nth-child(2n+1)", "b:only-of-type"),
    *("p:nth-last-child(2)", "*:nth-child(-n+2)", "td:nth-last-of-type(2n)", "tr:nth-child(even)", "html:first-child"),
    *("tr:has(.x)", "div:has(> a)", "td:has(+ td)", "tr:not(:has(.x))", ":has(a):has(b)", "tr:has(td, li)"),
    *("p:not(.x)", ":not(.x):not(td)", ":is(td, li).x", "b:not(p b)", "td, a", "title, h1", "*|a", ":where(a, b) i"),
)


def path(element: Part) -> list[tuple[str, int]]:
    """Where an element of either tree is: its name and its place, and those of its ancestors."""
    steps: list[tuple[str, int]] = []
    while isinstance(element, Tag) and not isinstance(element, BeautifulSoup):
        steps.append((element.name, len(element.find_previous_siblings(True))))
        element = element.parent
    while isinstance(element, etree._Element):
        steps.append((element.tag, sum(1 for _ in element.itersiblings("*", preceding=True))))
        element = element.getparent()
    return steps


def attributes(tree: Tree, part: Part) -> dict[str, str | None]:
    names = part.attrs if isinstance(part, Tag) else part.attrib
    return {name: tree.attribute(part, name) for name in [*names, "class", "nothing"]}


def both(body: str | bytes, content_type: str | None = "text/html; charset=utf-8") -> tuple[SoupTree, LibxmlTree]:
    page = Markup(body.encode("utf-8", "replace") if isinstance(body, str) else body, content_type, URL)
    return SoupTree(page), LibxmlTree(page)


def compare(body: str, selectors: list[str]) -> None:
    try:
        soup, quick = both(body)
    except Unlike:
        return
    every, quick_every = soup.select(None, "*"), quick.select(None, "*")
    assert list(map(path, every)) == list(map(path, quick_every))
    assert (soup.base, soup.text(None)) == (quick.base, quick.text(None))
    parts: list[tuple[Part, Part]] = [(None, None), *zip(every, quick_every, strict=True)]
    for part, quick_part in parts[1:]:
        assert soup.text(part) == quick.text(quick_part), path(part)
        assert attributes(soup, part) == attributes(quick, quick_part)
        length = len(soup.text(part))
        assert [quick.says(quick_part, n) for n in (0, length, length + 1)] == [True, True, False]
    for selector in selectors:
        for part, quick_part in parts:
            found = list(map(path, soup.select(part, selector)))
            assert found == list(map(path, quick.select(quick_part, selector))), selector


selectors = some.lists(some.sampled_from(SELECTORS), min_size=1, max_size=5)


@settings(deadline=None)
@given(html.pages, selectors)
def test_whatever_the_page(body: str, selectors: list[str]) -> None:
    compare(body, selectors)


@settings(deadline=None)
@given(html.tables, selectors)
def test_whatever_the_table(body: str, selectors: list[str]) -> None:
    compare(body, selectors)


LISTING = """<ul class=x><li class="a  b" id=i>one<p>two<li><b>three</b><br><a href=/4 rel="next  x">four</a></ul>
<table><tr class=x><td class=x>1<td>2<tr><td>3<td class=y>4</table><div><div><p>deep <b>er</b></p></div></div>
<input type=PASSWORD><p class=x>é</p></body></html><p>and after"""


@pytest.mark.parametrize("selector", SELECTORS)
def test_every_selector(selector: str) -> None:
    compare(LISTING, [selector])


@pytest.mark.parametrize(
    "selector",
    [
        *("a:-soup-contains(four)", ":root", "p:empty", "a:link", "input:checked", ":lang(en)", "x|a", "[x|href]"),
        *("li:nth-child(1 of .a)", "p:dir(ltr)", "a:hover", "a::before", ":has(~ p)", "é", "[é]", ":has(:scope)"),
    ],
)
def test_what_is_left_to_soupsieve(selector: str) -> None:
    with pytest.raises(NotCompiled):
        both(LISTING)[1].select(None, selector)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<?xml version='1.0'?><rss><a/></rss>", "XML"),
        ("\ufeff<p>x".encode("utf-16-le"), "UTF-16"),
        ("<p>x<template><p>y</template>", "template"),
        ("<ruby>x<rt>y</ruby>", "rt"),
        ("<div>" * 300, "more than the parser"),
        ("<!-- nothing -->", "nothing"),
        ("", "nothing"),
    ],
)
def test_pages_that_are_left_to_beautiful_soup(body: str | bytes, why: str) -> None:
    with pytest.raises(Unlike, match=why):
        both(body)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<p>Größe".encode(), None),
        ("\ufeff<p>Größe".encode(), None),
        ("<meta charset=windows-1252><p>“Größe”".encode("cp1252"), None),
        ("<meta charset=iso-8859-1><p>“Größe”".encode("cp1252"), "text/html"),
        ("<p>Größe “x”".encode("cp1252"), "text/html"),
        ("<meta charset=utf-8><p>Größe".encode("cp1252"), None),
        ("<p>価格".encode("shift_jis"), "text/html; charset=Shift_JIS"),
        ("<p>价格".encode("gb18030"), "text/html; charset=gb2312"),
        ("<p>가격".encode("cp949"), "text/html; charset=euc-kr"),
        ("<p>ş".encode("cp1254"), "text/html; charset=iso-8859-9"),
        (("<p>" + "ä" * 20).encode() + b"\xff", None),
        (b"<p>a\x00b", None),
    ],
)
def test_encodings(body: bytes, content_type: str | None) -> None:
    soup, quick = both(body, content_type)
    assert quick.text(None) == soup.text(None) != ""
