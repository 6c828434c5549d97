"""What the environment says to the scrapers, read once by each command."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


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
        port = environ.get("PORTALWIRE_PORT") or "5000"
        return cls(
            schedules=Path(environ.get("PORTALWIRE_SCHEDULES") or "schedules.yaml"),
            var=Path(environ.get("PORTALWIRE_VAR") or "var"),
            ingest_url=(environ.get("PORTALWIRE_INGEST_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
            token=environ.get("PORTALWIRE_TOKEN") or None,
            redis_url=environ.get("PORTALWIRE_REDIS_URL") or None,
            scheduler_metrics=environ.get("PORTALWIRE_SCHEDULER_METRICS") or None,
        )
