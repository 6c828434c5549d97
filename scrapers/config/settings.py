"""What the environment says to the scrapers, read once by each command."""

import errno
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scrapers.address import is_web
from scrapers.errors import ConfigError


@dataclass(frozen=True)
class Settings:
    """`var` is where the spool, saved pages, caches and browser profiles live; `token` is never printed;
    `scheduler_metrics` is the port on which a scheduler tells its numbers."""

    schedules: Path
    var: Path
    ingest_url: str
    token: str | None = field(repr=False, default=None)
    redis_url: str | None = field(repr=False, default=None)
    scheduler_metrics: str | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Raises ConfigError, which names the variable that is wrong."""
        return cls(
            schedules=Path(environ.get("PORTALWIRE_SCHEDULES") or "schedules.yaml"),
            var=Path(environ.get("PORTALWIRE_VAR") or "var"),
            ingest_url=_ingest_url(environ),
            token=environ.get("PORTALWIRE_TOKEN") or None,
            redis_url=environ.get("PORTALWIRE_REDIS_URL") or None,
            scheduler_metrics=environ.get("PORTALWIRE_SCHEDULER_METRICS") or None,
        )

    def make_var(self) -> None:
        """Sees that `var` is there and can be written. Raises ConfigError."""
        try:
            self.var.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.var):
                pass
        except OSError as error:
            why = os.strerror(error.errno or errno.EIO)
            raise ConfigError([f"PORTALWIRE_VAR is {self.var}, which cannot be written: {why}"]) from error


def _ingest_url(environ: Mapping[str, str]) -> str:
    url = environ.get("PORTALWIRE_INGEST_URL")
    if url:
        if not _is_web(url):
            raise ConfigError([f"PORTALWIRE_INGEST_URL is {url!r}: it is an address like http://127.0.0.1:5000"])
        return url.rstrip("/")
    port = environ.get("PORTALWIRE_PORT") or "5000"
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise ConfigError([f"PORTALWIRE_PORT is {port!r}: a port is a number from 1 to 65535"])
    return f"http://127.0.0.1:{port}"


def _is_web(url: str) -> bool:
    try:
        return is_web(url)
    except ValueError:
        return False
