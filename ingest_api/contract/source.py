"""What a scraper tells of its source and of its runs, beside the entries."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from ingest_api.contract.batch import END, Id, Parser, SourceName
from ingest_api.contract.moment import Dated, Instant

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Removal(msgspec.Struct, kw_only=True, frozen=True):
    """When a vanished entry counts as removed: after `misses` complete runs without it; a run that would remove more
    than the share `hold_above` of the present entries is held for a person."""

    misses: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    hold_above: Share = 0.5


LONGEST = 1e9  # seconds: thirty years
LARGEST = 2**31 - 1  # of a count, as a database keeps it
LONGEST_TEXT = 2_000  # characters of what is said of a source or of a run that failed
MOST_FIELDS = 16 * 1024  # bytes, as JSON, of what is said of a source's fields

Seconds = Annotated[float, msgspec.Meta(gt=0, le=LONGEST)]
Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST)]
FieldName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Window = Annotated[str, msgspec.Meta(pattern=rf"^[1-9][0-9]{{0,3}}[smhd]{END}")]
"""A length of time with one unit: 30s, 1m, 4h, 1d."""


CANDLES = ".candles"
"""Ends the name of the source that holds another's candles."""

LONGEST_AGGREGATED = 64 - len(CANDLES)  # characters of the name of a source that has candles
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def seconds_of(window: str) -> int:
    """How long a window is."""
    return int(window[:-1]) * _UNITS[window[-1]]


def repeats(windows: Sequence[str]) -> bool:
    """Whether two of these windows are equally long."""
    return len({seconds_of(window) for window in windows}) < len(windows)


class Aggregate(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a source's entries become candles: open, high, low, close, count and sum of `field`, for each `by` (absent:
    the entry's key) and each of the `windows`, with the sum of `volume` where one is named.

    `retention` is how long the entries themselves are kept, `keep` how long the candles are, both in seconds and for
    ever when absent. Raises ValueError for windows of the same length, which would be counted twice.
    """

    field: FieldName
    windows: Annotated[list[Window], msgspec.Meta(min_length=1, max_length=8)]
    by: FieldName | None = None
    volume: FieldName | None = None
    retention: Seconds | None = None
    keep: Seconds | None = None

    def __post_init__(self) -> None:
        if repeats(self.windows):
            raise ValueError("windows has the same length twice (60s is 1m): leave one out")


def _cut(value: msgspec.Struct) -> None:
    """Cuts each text of a value that is too long: refused, the word of a failure would be lost."""
    for name in value.__struct_fields__:
        text = getattr(value, name)
        if isinstance(text, str) and len(text) > LONGEST_TEXT:
            setattr(value, name, text[:LONGEST_TEXT])


def _fitting(fields: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The first of the fields, as many as there is room for."""
    fitting, size = {}, 0
    for name, said in fields.items():
        size += len(msgspec.json.encode({name: said}))
        if size > MOST_FIELDS:
            break
        fitting[name] = said
    return fitting


class SourceInfo(Dated, kw_only=True, omit_defaults=True):
    """How a source is configured, for the store and for those who look (`PUT /api/sources/NAME`).

    `every` is the usual time between runs, `stale_after` the age at which its entries are no longer vouched for, both
    in seconds. `lead` is the field to show first; `fields` says more of a field, by name: `{"price": {"unit": "EUR"}}`.
    Texts that are too long are cut, and of `fields` the first are kept, as many as there is room for. Raises ValueError
    for a name too long for the source that would hold its candles.
    """

    name: SourceName
    title: str = ""
    schedule: str = ""
    every: Seconds | None = None
    stale_after: Seconds | None = None
    next_run: Instant | None = None
    fetch: str = ""
    lead: str | None = None
    fields: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    expect: str = ""
    removal: Removal = Removal()
    quiet: bool = False
    aggregate: Aggregate | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _cut(self)
        self.fields = _fitting(self.fields)
        if self.aggregate is not None and len(self.name) > LONGEST_AGGREGATED:
            raise ValueError(
                f"a source with aggregate has a name of at most {LONGEST_AGGREGATED} characters, since that of its "
                f"candles is called NAME{CANDLES}"
            )


class RunFault(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Why a run failed, in words for the person who must act.

    `lasting` says that another try will not mend it (the portal was redesigned, the password changed): the source
    counts as failing at once. `saved` is where the scraper kept the page, or what its browser showed in place of one,
    for whoever sits at that machine. Texts that are too long are cut.
    """

    code: str
    message: str
    lasting: bool = False
    page: str | None = None
    selector: str | None = None
    saved: str | None = None

    def __post_init__(self) -> None:
        _cut(self)


class RunReport(Dated, kw_only=True, omit_defaults=True):
    """A run as its scraper sees it, sent at its start and at its end (`POST /api/runs`).

    `complete`: it saw every entry and said so; `partial`: it delivered, but cannot say that nothing is missing.
    """

    run_id: Id
    source: SourceName
    state: Literal["running", "complete", "partial", "failed"]
    started_at: Instant
    finished_at: Instant | None = None
    pages: Count = 0
    seen: Count = 0
    parser: Parser = "1"
    fetch: str = ""
    fault: RunFault | None = None
