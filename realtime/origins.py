"""Where pages may be: a browser says where the page comes from that it asks for, and no page elsewhere may use us.

By default only the server's own page. PORTALWIRE_ORIGINS names others, and the names under which the server is reached
through a proxy: `https://prices.example, https://desk.example:8443`.
"""

from typing import Any
from urllib.parse import urlsplit

import msgspec

from realtime.errors import BadSettings


class Origins(msgspec.Struct, frozen=True):
    """The origins named in the settings, each `scheme://host[:port]`."""

    named: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> "Origins":
        """From a list with commas; BadSettings names the one that is none."""
        return cls(frozenset(_origin(part.strip()) for part in text.split(",") if part.strip()))

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts of the origins, without ports."""
        return frozenset(urlsplit(origin).hostname or "" for origin in self.named)

    def allow(self, origin: str | None, environ: dict[str, Any]) -> bool:
        """Whether a request with this Origin header may be served. Programs send none."""
        if origin is None:
            return True
        own = f"{environ.get('wsgi.url_scheme')}://{environ.get('HTTP_HOST')}"
        return origin.lower() in (own.lower(), *self.named)


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or text.count("/") != 2 or "@" in text:
        raise BadSettings(
            f"PORTALWIRE_ORIGINS holds {text!r}: an origin is like https://prices.example or http://10.0.0.7:5000"
        )
    return text.lower()
