"""Addresses: links made absolute as a browser does it, and which host they lead to."""

import re
from functools import lru_cache
from urllib.parse import urldefrag, urljoin, urlsplit

_DROPPED = re.compile("[\t\n\r]")  # inside an address; browsers drop them too
_EDGES = "".join(map(chr, range(0x21)))
_PORTS = {"http": 80, "https": 443}

# Most links are so plain that there is nothing to resolve: a path from the root without dots at its segments'
# beginnings, and a query; perhaps after a host in lower case.
_PATH = r"(?=/)(?:/[\w~%-][\w~%.-]*)*/?(?:\?[\w~%./:=&+,-]+)?"
_PLAIN_PATH = re.compile(_PATH, re.ASCII)
_PLAIN = re.compile(rf"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?:[1-9]\d{{0,3}}|[1-5]\d{{4}}))?{_PATH}", re.ASCII)


def join(base: str, href: str) -> str:
    """`href` as an absolute address when read on the page `base`. Raises ValueError for what is no address."""
    address = urljoin(base, _DROPPED.sub("", href).strip(_EDGES))
    urlsplit(address).port  # noqa: B018 (a bad port or a broken IPv6 address raises only when it is asked for)
    return address.replace(" ", "%20")


def join_web(base: str, href: str) -> str | None:
    """`href` as an absolute address, None when that is not one with http or https. Raises ValueError as `join`."""
    if _PLAIN.fullmatch(href):
        return href
    if _PLAIN_PATH.fullmatch(href) and (site := _site(base)):
        return site + href
    address = join(base, href)
    return address if is_web(address) else None


def is_web(address: str) -> bool:
    """Whether an address is absolute and http or https."""
    parts = urlsplit(address)
    return parts.scheme in _PORTS and bool(parts.hostname)


@lru_cache(64)
def _site(base: str) -> str | None:
    """Scheme and host of a plain address, None for any other."""
    if not _PLAIN.fullmatch(base):
        return None
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}"


def host_and_port(address: str) -> tuple[str, int]:
    """The host in lower case and the port, the scheme's own if none is named."""
    parts = urlsplit(address)
    return host_name(parts.hostname or ""), parts.port or _PORTS.get(parts.scheme, 0)


def host_name(host: str) -> str:
    """A host as the network knows it: lower case, ASCII, without the final dot."""
    host = host.rstrip(".").lower()
    try:
        return host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:  # a name nobody can resolve
        return host


def without_fragment(address: str) -> str:
    """The address of the page itself, without the place on it."""
    return urldefrag(address).url
