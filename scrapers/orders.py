"""What a scheduler and its workers say to each other, as lines of JSON."""

from datetime import datetime

import msgspec

from ingest_api.contract import RunFault


class Order(msgspec.Struct):
    """Run now; `next_run` is announced to the server."""

    run_id: str
    next_run: datetime | None = None


class Done(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run is over. `state` is its report's, None when it made none, or was ended by force before it did; `scraper` is
    the file that holds the portal's function, None for one made of selectors."""

    exit: int
    state: str | None = None
    fault: RunFault | None = None
    scraper: str | None = None
