"""Encodings as they come, and pages that no parser should see."""

import time

import pytest

from scrapers.errors import FetchFailed, TooBig
from tests.scrapers.pages import page


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("<p>Größe".encode(), None, "Größe"),
        ("<p>Größe".encode(), "text/html; charset=utf-8", "Größe"),
        ("<meta charset=windows-1252><p>“Größe”".encode("cp1252"), None, "“Größe”"),
        ("<meta charset=iso-8859-1><p>“Größe”".encode("cp1252"), "text/html", "“Größe”"),
        ("<p>Größe “x”".encode("cp1252"), "text/html", "Größe “x”"),
        ("<meta charset=utf-8><p>Größe".encode("cp1252"), None, "Größe"),
        ("<meta charset=nonsense><p>Größe".encode(), None, "Größe"),
        ("<p>価格".encode("shift_jis"), "text/html; charset=Shift_JIS", "価格"),
        ("\ufeff<p>Größe".encode("utf-16-le"), None, "Größe"),
        ("\ufeff<p>Größe".encode(), "text/html; charset=latin-1", "Größe"),
        (("<p>" + "ä" * 20).encode() + b"\xff", None, "ä" * 20 + "�"),
        (b"<p>a\x00b", None, "a�b"),
    ],
)
def test_encodings(body, content_type, text):
    assert page(body, content_type=content_type).text("p") == text


@pytest.mark.parametrize(
    "body", [b"<rss><channel/></rss>", b"<?xml version='1.0'?><feed></feed>", b"<!-- x --><urlset/>"]
)
def test_feeds_are_told_by_their_root(body):
    assert page(body, content_type="text/html").is_xml


def test_xhtml_is_html():
    body = '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><p>x<br/>y</p></html>'
    it = page(body, content_type="application/xhtml+xml")
    assert not it.is_xml
    assert it.text("p") == "x y"


def test_a_feed_that_ends_in_its_middle_is_no_page():
    with pytest.raises(FetchFailed, match="ends before its <rss> does"):
        page(b"<rss><channel><item><title>one</title></item>")


def test_a_feed_with_entities_of_its_own_is_refused():
    with pytest.raises(TooBig, match="entities"):
        page(b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><rss>&a;</rss>')


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 100_000,
        b"<div>" * 20_000 + b"</b>" * 200_000,
        b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000)) + b">",
        b"<!--" * 500_000,
        b"<p>" * 500_000,
        b"<?xml version='1.0'?>" + b"<a>" * 100_000 + b"</a>" * 100_000,
    ],
)
def test_pages_that_no_parser_should_see_are_refused_at_once(body):
    began = time.monotonic()
    with pytest.raises(TooBig) as caught:
        page(body)
    assert caught.value.page
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("body", ["<p>x" * 5_000, "<li>x" * 5_000, "<tr><td>x" * 5_000, '<img src="x">' * 5_000])
def test_open_elements_are_not_depth(body):
    assert page(body).all("p, li, td, img", at_least=5_000)


@pytest.mark.parametrize("filling", ["<b>x</b>" * 3_000, "<i>x</b></i>" * 3_000, "<p>x" * 3_000, "<br/>" * 3_000])
def test_depth_is_counted_among_whatever_else(filling):
    page(f"<div>{filling}" * 4)
    with pytest.raises(TooBig, match="elements within each other"):
        page("<div>" * 1_500 + filling + "<span>" * 600)


def test_a_picture_within_an_attribute_is_fine():
    assert page('<img src="data:image/png;base64,' + "A" * 2_000_000 + '"><p>x').text("p") == "x"
