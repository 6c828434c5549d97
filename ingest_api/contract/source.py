"""What a scraper tells of its source and of its runs, beside the entries."""

from typing import Annotated, Any, Literal

import msgspec

from ingest_api.contract.batch import Id, SourceName
from ingest_api.contract.entry import Instant

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Removal(msgspec.Struct, kw_only=True, frozen=True):
    """When a vanished entry counts as removed: after `misses` complete runs without it; a run that would remove more
    than the share `hold_above` of the present entries is held for a person."""

    misses: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    hold_above: Share = 0.5


Seconds = Annotated[float, msgspec.Meta(gt=0)]
FieldName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Window = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,3}[smhd]$")]
"""A length of time with one unit: 30s, 1m, 4h, 1d."""


CANDLES = ".candles"
"""Ends the name of the source that holds another's candles."""


class Aggregate(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a source's entries become candles: open, high, low, close, count and sum of `field`, for each `by` (absent:
    the entry's key) and each of the `windows`, with the sum of `volume` where one is named.

    `retention` is how long the entries themselves are kept, `keep` how long the candles are, both in seconds and for
    ever when absent.
    """

    field: FieldName
    windows: Annotated[list[Window], msgspec.Meta(min_length=1, max_length=8)]
    by: FieldName | None = None
    volume: FieldName | None = None
    retention: Seconds | None = None
    keep: Seconds | None = None


class SourceInfo(msgspec.Struct, kw_only=True, omit_defaults=True):
    """How a source is configured, for the store and for those who look (`PUT /api/sources/NAME`).

    `every` is the usual time between runs, `stale_after` the age at which its entries are no longer vouched for, both
    in seconds. `lead` is the field to show first; `fields` says more of a field, by name: `{"price": {"unit": "EUR"}}`.
    """

    name: SourceName
    title: str = ""
    schedule: str = ""
    every: Seconds | None = None
    stale_after: Seconds | None = None
    next_run: Instant | None = None
    fetch: str = ""
    lead: str | None = None
    fields: dict[str, dict[str, Any]] = {}
    expect: str = ""
    removal: Removal = Removal()
    quiet: bool = False
    aggregate: Aggregate | None = None


class RunFault(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a run failed, in words for the person who must act.

    `lasting` says that another try will not mend it (the portal was redesigned, the password changed): the source
    counts as failing at once. `saved` is where the scraper kept the page, for whoever sits at that machine.
    """

    code: str
    message: str
    lasting: bool = False
    page: str | None = None
    selector: str | None = None
    saved: str | None = None


class RunReport(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A run as its scraper sees it, sent at its start and at its end (`POST /api/runs`).

    `complete`: it saw every entry and said so; `partial`: it delivered, but cannot say that nothing is missing.
    """

    run_id: Id
    source: SourceName
    state: Literal["running", "complete", "partial", "failed"]
    started_at: Instant
    finished_at: Instant | None = None
    pages: int = 0
    seen: int = 0
    parser: str = "1"
    fetch: str = ""
    fault: RunFault | None = None
