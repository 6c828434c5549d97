"""How much a fetch may take, and how gently it asks."""

from dataclasses import dataclass

from scrapers.config import Source

AGENT = "Portalwire"  # the name that robots.txt knows us by


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times in seconds, `size` in bytes after decompression.

    `connect` is for a connection, `read` for the next bytes, `total` for one request from its beginning to its last
    byte. `attempts` counts the first one too; between them `backoff` doubles. `patience` is the longest wait for a
    host's turn, a Retry-After included: beyond it the fetch fails and a later run goes on. `memory` is the size on disk
    beyond which a source's remembered pages are forgotten.
    """

    connect: float = 10.0
    read: float = 20.0
    total: float = 60.0
    size: int = 16 * 1024 * 1024
    attempts: int = 3
    backoff: float = 1.0
    patience: float = 90.0
    redirects: int = 10
    memory: int = 64 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Politeness:
    """`pace`: seconds between two requests to a host, of all our processes together; `robots`: whether robots.txt is
    obeyed; `robots_age`: seconds for which it is remembered; `hosts`: where a source may go beside its start's host
    (`host`, `host:port`, or a private network as `10.1.0.0/16`)."""

    pace: float = 1.0
    robots: bool = True
    robots_age: float = 3600.0
    hosts: tuple[str, ...] = ()
    user_agent: str = f"{AGENT}/0.1 (reads public listings for changes; asks robots.txt)"

    @classmethod
    def of(cls, source: Source) -> "Politeness":
        """As the source is configured."""
        return cls(pace=float(source.pace), robots=source.robots, hosts=tuple(source.hosts))
