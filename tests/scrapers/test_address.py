"""Addresses: the plain ones, which are not resolved at all, are what resolving would have made of them."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scrapers.address import is_web, join, join_web

BASES = [
    *("http://127.0.0.1:5050/vendor-x/prices?page=2", "https://shop.example/", "https://shop.example/a/b/../c"),
    *(
        "https://shop.example",
        "HTTPS://Shop.example/A",
        "http://a.b:43051/c/d",
        "https://user@shop.example/x",
        "http://[::1]:80/",
        "x:y",
    ),
]
paths = some.text(alphabet="/.?aZ0%&=:~-_;#@+,", max_size=12)
sites = some.sampled_from(
    [
        "",
        "/",
        "//",
        "https://shop.example/",
        "http://a.b:80/",
        "http://a.b:65000/",
        "http://a.b:43051/",
        "https://a..b/",
        "http://-a/",
    ]
)


@given(some.sampled_from(BASES), sites, paths)
def test_as_urllib_does_it(base: str, site: str, path: str) -> None:
    href = site + path
    try:
        address = urljoin(base, href)
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            join_web(base, href)
        return
    assert (join(base, href), urlsplit(join(base, href)).port) == (address, port)
    web = parts.scheme in ("http", "https") and bool(parts.hostname)
    assert is_web(address) == web
    assert join_web(base, href) == (address if web else None)


@pytest.mark.parametrize(
    ("href", "address"),
    [
        ("/items/7?lang=en", "https://shop.example/items/7?lang=en"),
        ("../A1?x=1&y=2", "https://shop.example/A1?x=1&y=2"),
        ("/a/../b", "https://shop.example/b"),
        ("/a/./b", "https://shop.example/a/b"),
        ("/A 2 ", "https://shop.example/A%202"),
        ("/a\n/b\t", "https://shop.example/a/b"),
        ("//other.example/x", "https://other.example/x"),
        ("https://other.example/a/../b", "https://other.example/a/../b"),
        ("#here", "https://shop.example/list/page#here"),
        ("?page=2", "https://shop.example/list/page?page=2"),
        ("/größe", "https://shop.example/größe"),
    ],
)
def test_links_as_they_are_written(href: str, address: str) -> None:
    assert join("https://shop.example/list/page", href) == join_web("https://shop.example/list/page", href) == address
