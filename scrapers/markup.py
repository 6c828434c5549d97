"""A page's bytes before they are parsed: in which encoding, as HTML or XML, and whether a parser should see them at
all."""

import codecs
import re
from collections import Counter
from email.message import Message
from functools import cached_property
from typing import Final

from bs4.dammit import EncodingDetector

from scrapers.errors import FetchFailed, TooBig

MAX_MARKUP = 400_000  # opening angle brackets of a page
MAX_DEPTH = 2_000  # elements within each other
MAX_ATTRIBUTES = 5_000  # of one element

# No parser is safe: time grows with the square of the depth or of an element's attributes in one or another of them.
_TAG = re.compile(rb"<(/?)([a-zA-Z][^\s<>/]*)([^<>]*)")
_ENDS_BY_ITSELF = frozenset(  # elements that may stay open in good HTML without nesting
    b"a area base br col colgroup dd dt embed hr img input li link meta optgroup option p param rp rt source tbody td"
    b" tfoot th thead tr track wbr html head body".split()
)
_COMMON = (b"<td>", b"<td ", b"<li>", b"<li ", b"<tr>", b"<tr ", b"<p>", b"<p ", b"<br>", b"<option ")  # some of them
_ROOT = re.compile(rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*|<!DOCTYPE[^>\[]*>\s*)*<([A-Za-z_][\w:.-]*)", re.DOTALL)
_FEEDS = frozenset([b"rss", b"feed", b"rdf:rdf", b"urlset", b"sitemapindex"])
_XML_TYPE = re.compile(r"(?:text|application)/(?:(?!xhtml)[\w.-]+\+)?xml")

# What browsers read where a page names the left; the right is a superset.
_READ_AS = {
    "ascii": "windows-1252",
    "iso8859-1": "windows-1252",
    "iso8859-9": "windows-1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "tis-620": "cp874",
}


class Markup:
    """The bytes of the page at `url`. TooBig when parsing them could take for ever, FetchFailed for a feed that ends in
    its middle."""

    def __init__(self, body: bytes, content_type: str | None, url: str) -> None:
        self.body: Final = body
        self.url: Final = url
        self.is_xml: Final = is_xml(body, content_type)
        self._content_type = content_type
        check_parsable(body, url, self.is_xml)
        if self.is_xml:
            _check_feed(body, url)

    @cached_property
    def encoding(self) -> str | None:
        """The encoding to read the body in; None where a byte order mark tells."""
        return encoding_of(self.body, self._content_type, self.is_xml)


def is_xml(body: bytes, content_type: str | None) -> bool:
    """Whether the body is a feed or other XML; XHTML is read as HTML, as browsers read most of it."""
    start = body[:4096].removeprefix(codecs.BOM_UTF8)
    root = _ROOT.match(start)
    name = root[1].lower() if root else b""
    if name == b"html":
        return False
    return bool(_XML_TYPE.match((content_type or "").lower())) or start.startswith(b"<?xml") or name in _FEEDS


def encoding_of(body: bytes, content_type: str | None, xml: bool = False) -> str | None:
    """The encoding to read the body in: what was declared, as browsers take it; None where a byte order mark tells."""
    if body.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return None
    declared = _charset(content_type) or EncodingDetector.find_declared_encoding(body, is_html=not xml)
    try:
        name = codecs.lookup(declared or "utf-8").name
    except LookupError:
        name = "utf-8"
    if name == "utf-8":
        return "utf-8" if _mostly_utf8(body) else "windows-1252"
    return _READ_AS.get(name, name)


def check_parsable(body: bytes, url: str, xml: bool = False) -> None:
    """TooBig when the markup is of a kind that no parser ends with in time."""
    brackets = body.count(b"<")
    if brackets > MAX_MARKUP:
        raise TooBig(f"the page has {brackets} tags, at most {MAX_MARKUP} are parsed", page=url)
    if not all(body.find(b"<", place, place + MAX_ATTRIBUTES) >= 0 for place in range(0, len(body), MAX_ATTRIBUTES)):
        _check_attributes(body, url)
    if not _is_shallow(body, brackets, xml):
        _check_depth(body, url, frozenset() if xml else _ENDS_BY_ITSELF)


def _check_attributes(body: bytes, url: str) -> None:
    for long in [piece for piece in body.split(b"<")[1:] if len(piece) > 2 * MAX_ATTRIBUTES]:
        tag = _TAG.match(b"<" + long)
        if tag and len(tag[3].split()) > MAX_ATTRIBUTES:
            raise TooBig(f"an element has more than {MAX_ATTRIBUTES} attributes", page=url)


def _is_shallow(body: bytes, brackets: int, xml: bool) -> bool:
    """Whether there are too few opening tags to be too deep, however they are nested."""
    opened = brackets - body.count(b"</")
    for common in () if xml else _COMMON:
        if opened <= MAX_DEPTH:
            break
        opened -= body.count(common)
    return opened <= MAX_DEPTH


def _check_depth(body: bytes, url: str, ends_by_itself: frozenset[bytes]) -> None:
    open_elements: Counter[bytes] = Counter()
    depth = 0
    for closing, name, attributes in _TAG.findall(body):
        name = name.lower()
        if name in ends_by_itself or attributes.endswith(b"/"):
            continue
        if not closing:
            open_elements[name] += 1
            depth += 1
        elif open_elements[name]:
            open_elements[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            raise TooBig(f"the page has more than {MAX_DEPTH} elements within each other", page=url)


def _check_feed(body: bytes, url: str) -> None:
    if b"<!ENTITY" in body:
        raise TooBig("the feed declares entities of its own, which can grow without bound", page=url)
    root = _ROOT.match(body.removeprefix(codecs.BOM_UTF8))
    if root and b"</" + root[1] not in body[-4096:] and not re.search(rb"/>\s*$", body[-4096:]):
        raise FetchFailed(f"the feed ends before its <{root[1].decode('latin-1')}> does", page=url)


def _charset(content_type: str | None) -> str | None:
    message = Message()
    message["Content-Type"] = content_type or ""
    charset = message.get_param("charset")
    return charset if isinstance(charset, str) else None


def _mostly_utf8(body: bytes) -> bool:
    """Whether more of the characters beyond ASCII are good UTF-8 than are not: one broken byte must not turn a whole
    page into another encoding, and a page that merely says UTF-8 is read as what it is."""
    if body.isascii():
        return True
    text = body.decode("utf-8", "replace")
    broken = text.count("�")
    good = len(text) - len(text.encode("ascii", "ignore")) - broken
    return good >= broken
