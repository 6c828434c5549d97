"""Selectors that count, on pages as portals write them."""

from datetime import date
from decimal import Decimal

import pytest

from scrapers.errors import SelectorFailed, Unreadable
from tests.scrapers.pages import URL, page

TABLE = """
<table><tbody>
<tr data-sku="A1"><td class=name>Beam<br>HEB 200 <td class=price>€ 1.299,00 <td class=on>22.11.2026
  <td class=stock>1,204
  <td><a href="../A1?x=1&y=2">see</a>
<tr data-sku="A2"><td class=name><b>Tube</b> 4<sup>2</sup>" <td class=price>512.40 <td class=on>2026-11-21
  <td class=stock>0
  <td><a href=" /A 2 ">see</a>
</tbody></table><p class=empty> &nbsp; </p>
"""


@pytest.fixture
def rows():
    return page(TABLE).all("tr", at_least=2)


def test_rows_and_their_values(rows):
    first, second = rows
    assert (first["data-sku"], second["data-sku"]) == ("A1", "A2")
    assert (first.text(".name"), second.text(".name")) == ("Beam HEB 200", 'Tube 42"')
    assert (first.money(".price"), second.money(".price")) == (Decimal("1299.00"), Decimal("512.40"))
    assert first.date(".on", order="DMY") == date(2026, 11, 22)
    assert second.date(".on") == date(2026, 11, 21)
    assert first.link("a") == "https://shop.example/A1?x=1&y=2"
    assert second.link("a") == "https://shop.example/A%202"
    assert (first.number(".stock"), second.number(".stock")) == (1204, 0)
    assert second.one(".name").text("b") == "Tube"


@pytest.mark.parametrize(
    ("ask", "expectation"),
    [
        (lambda p: p.all("li", at_least=3), "at least 3 expected, 0 found"),
        (lambda p: p.one("li"), "exactly 1 expected, none found"),
        (lambda p: p.one("td"), "exactly 1 expected, 10 found"),
        (lambda p: p.text(".name"), "exactly 1 expected, 2 found"),
        (lambda p: p.text(".missing"), "text expected, none found"),
        (lambda p: p.text(".empty"), "text expected, none found"),
        (lambda p: p.attr(".empty", "href"), "attribute 'href' expected, none found"),
        (lambda p: p.link(".empty"), "attribute 'href' expected, none found"),
        (lambda p: p.money(".empty"), "text expected, none found"),
        (lambda p: p.text("td[["), "this is no CSS selector"),
        (lambda p: p.next("tr:first-child a"), "without a visit"),
    ],
)
def test_what_is_not_there_names_page_selector_and_expectation(ask, expectation):
    with pytest.raises(SelectorFailed, match=expectation.replace("(", r"\(")) as caught:
        ask(page(TABLE))
    assert caught.value.page == URL
    assert caught.value.selector
    assert caught.value.lasting
    assert URL in str(caught.value)


def test_defaults_stand_for_what_is_missing_or_empty():
    it = page(TABLE)
    assert (it.text(".missing", default="-"), it.text(".empty", default="-")) == ("-", "-")
    assert it.attr(".missing", "href", default="") == ""


def test_values_that_cannot_be_read_say_where(rows):
    with pytest.raises(Unreadable, match="a date in order YMD was expected") as caught:
        rows[0].date(".on")
    assert (caught.value.page, caught.value.selector) == (URL, ".on")


@pytest.mark.parametrize("href", ["javascript:void(0)", "mailto:a@b.example", "http://[", "http://x:99999/"])
def test_links_lead_to_the_web(href):
    it = page(f'<a href="{href}">x</a>')
    with pytest.raises(SelectorFailed, match="link"):
        it.link("a")


def test_base_is_respected():
    assert page('<base href="/other/"><a href="x">x</a>').link("a") == "https://shop.example/other/x"


def test_attributes_with_several_values_are_text():
    assert page('<p class="a b">').attr("p", "class") == "a b"


def test_a_feed_is_xml_and_its_links_are_text():
    feed = page(
        '<?xml version="1.0"?><rss xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><item>'
        "<title><![CDATA[A & B]]></title><link>https://shop.example/1</link><dc:date>2026-11-22</dc:date>"
        "<pubDate>Sun, 22 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>"
    )
    item = feed.one("channel > item")
    assert (item.text("title"), item.link("link")) == ("A & B", "https://shop.example/1")
    assert item.date("pubDate") == item.date("dc|date") == date(2026, 11, 22)


class Folder:
    """A visit that serves pages by address."""

    def __init__(self, pages):
        self.pages = pages

    def __call__(self, url):
        return page(self.pages[url], url, visit=self)


def test_next_follows_and_ends():
    visit = Folder({"https://shop.example/1": '<a rel=next href="/2">', "https://shop.example/2": "<p>last"})
    first = visit("https://shop.example/1")
    second = first.next("a[rel=next]")
    assert second.text("p") == "last"
    assert second.next("a[rel=next]") is None


def test_next_may_stand_twice_but_leads_to_one_place():
    visit = Folder({"https://shop.example/1": '<a href="/2#top"><a href="/2">', "https://shop.example/2": "<p>last"})
    assert visit("https://shop.example/1").next("a").text("p") == "last"
    with pytest.raises(SelectorFailed, match="2 different ones"):
        page('<a href="/2"><a href="/3">').next("a")


def test_next_never_goes_in_a_circle():
    visit = Folder({"https://shop.example/1": '<a href="/2">', "https://shop.example/2": '<a href="/1">'})
    second = visit("https://shop.example/1").next("a")
    with pytest.raises(SelectorFailed, match=r"leads back to https://shop\.example/1"):
        second.next("a")
