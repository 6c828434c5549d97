"""What schedules.yaml may say: the one model behind its validation, its JSON Schema and `Source`."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from ingest_api.contract import Aggregate as AggregateInfo
from ingest_api.contract import Removal as RemovalInfo
from ingest_api.contract import SourceInfo
from ingest_api.contract.batch import SourceName
from ingest_api.contract.source import Window
from scrapers.config.listing import Listing, Text
from scrapers.config.values import Percent, Seconds, preset
from scrapers.trigger import Spacing, spacing

STALE_AFTER_RUNS = 3  # missed runs after which a source's entries are no longer vouched for

Count = Annotated[int, msgspec.Meta(ge=0)]
VARIABLE_NAME = "^[A-Z_][A-Z0-9_]*$"
Name = Annotated[str, msgspec.Meta(pattern=VARIABLE_NAME)]


class Expect(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a good run looks like; a run that is not is told as failed and removes nothing."""

    at_least: Annotated[Count, msgspec.Meta(description="Entries a run must see.")] = 1
    at_most: Annotated[Count | None, msgspec.Meta(description="Entries a run may see.")] = None
    required: Annotated[list[Text], msgspec.Meta(description="Fields that every entry must have.")] = []

    def __str__(self) -> str:
        parts = [f"at least {self.at_least}"]
        if self.at_most is not None:
            parts.append(f"at most {self.at_most}")
        if self.required:
            parts.append(f"required: {', '.join(self.required)}")
        return ", ".join(parts)


class Removal(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """When an entry that is no longer seen counts as removed."""

    misses: Annotated[
        int, msgspec.Meta(ge=1, le=100, description="Complete runs without the entry before it is removed.")
    ] = 2
    hold_above: Annotated[
        Percent, msgspec.Meta(description="A run that would remove more than this share waits for a person.")
    ] = preset(Percent(0.5))


class Login(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The form to fill in before the portal shows anything (fetch: browser)."""

    at: Annotated[Text, msgspec.Meta(description="Address of the form; relative to `start`.")]
    fields: Annotated[
        dict[str, Name],
        msgspec.Meta(description="CSS selector of an input to the environment variable that holds its value."),
    ]
    submit: Annotated[Text, msgspec.Meta(description="CSS selector of the button.")]
    until: Annotated[Text, msgspec.Meta(description="CSS selector that is there only after the login.")]


class Aggregate(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Candles of a source's entries, for each symbol and window."""

    field: Annotated[Text, msgspec.Meta(description="The field with the price.")]
    windows: Annotated[
        list[Window], msgspec.Meta(min_length=1, max_length=8, description="Lengths of candles: [1m, 5m, 1h].")
    ]
    by: Annotated[Text | None, msgspec.Meta(description="The field with the symbol; absent: the entry's key.")] = None
    volume: Annotated[Text | None, msgspec.Meta(description="A field to sum beside the price.")] = None
    retention: Annotated[
        Seconds | None, msgspec.Meta(description="Entries older than this are forgotten; absent: kept for ever.")
    ] = None
    keep: Annotated[
        Seconds | None, msgspec.Meta(description="Candles older than this are forgotten; absent: kept for ever.")
    ] = None

    def info(self) -> AggregateInfo:
        """What the server is told of it."""
        return AggregateInfo(
            field=self.field,
            windows=list(self.windows),
            by=self.by,
            volume=self.volume,
            retention=self.retention and float(self.retention),
            keep=self.keep and float(self.keep),
        )


class Source(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One source: a portal, when it is looked at and how."""

    name: SourceName
    title: Annotated[str, msgspec.Meta(description="What people call it; absent: its name.")] = ""
    portal: Annotated[Text | None, msgspec.Meta(description="The scraper; absent: the source's name.")] = None
    start: Annotated[Text | None, msgspec.Meta(description="Address of the first page; absent: the scraper's.")] = None
    fields: Annotated[Listing | None, msgspec.Meta(description="The scraper in selectors, without Python.")] = None
    every: Annotated[Seconds | None, msgspec.Meta(description="Time from one run to the next: 30s, 5m, 1h.")] = None
    cron: Annotated[
        Text | None, msgspec.Meta(description='Minute, hour, day, month, weekday, in quotes: "*/5 8-18 * * MON-FRI".')
    ] = None
    timezone: Annotated[Text, msgspec.Meta(description="Where `cron` is read: Europe/Berlin.")] = "UTC"
    jitter: Annotated[Seconds, msgspec.Meta(description="Each run starts up to this much later.")] = preset(Seconds(0))
    misfire: Annotated[
        Seconds | None, msgspec.Meta(description="A run later than this is left out; absent: run once, however late.")
    ] = None
    limit: Annotated[Seconds, msgspec.Meta(description="A run that takes longer is ended.")] = preset(Seconds(300))
    stale_after: Annotated[
        Seconds | None, msgspec.Meta(description="Age at which entries are no longer vouched for; absent: three runs.")
    ] = None
    fetch: Annotated[
        Literal["http", "browser"], msgspec.Meta(description="http is fast; browser runs the page's JavaScript.")
    ] = "http"
    wait: Annotated[Text | None, msgspec.Meta(description="CSS selector a browser waits for on each page.")] = None
    login: Annotated[Login | None, msgspec.Meta(description="A form to fill in first (fetch: browser).")] = None
    hosts: Annotated[list[Text], msgspec.Meta(description="Further hosts this source may fetch from.")] = []
    robots: Annotated[bool, msgspec.Meta(description="Obey the host's robots.txt.")] = True
    pace: Annotated[Seconds, msgspec.Meta(description="Least time between two requests to a host.")] = preset(
        Seconds(1)
    )
    deliver: Annotated[
        Literal["http", "redis"], msgspec.Meta(description="The door entries are delivered to; redis is a stream.")
    ] = "http"
    expect: Annotated[Expect, msgspec.Meta(description="What a good run looks like.")] = preset(Expect())
    removal: Annotated[Removal, msgspec.Meta(description="When a vanished entry counts as removed.")] = preset(
        Removal()
    )
    pushed: Annotated[bool, msgspec.Meta(description="A program delivers the entries; there is nothing to run.")] = (
        False
    )
    quiet: Annotated[
        bool, msgspec.Meta(description="Changes faster than people read: the page shows it to those who open it.")
    ] = False
    aggregate: Annotated[Aggregate | None, msgspec.Meta(description="Candles of the entries.")] = None
    lead: Annotated[Text | None, msgspec.Meta(description="The field to show first.")] = None
    show: Annotated[
        dict[str, dict[str, Any]], msgspec.Meta(description="How to show a field, by name: {price: {unit: EUR}}.")
    ] = {}

    @property
    def schedule(self) -> str:
        """When it runs, for people."""
        if self.pushed:
            return "as it comes"
        if self.every:
            return f"every {self.every}"
        return f"{self.cron} {self.timezone}" if self.cron else "by hand"

    @property
    def way(self) -> str:
        """How its pages come, for people."""
        return "–" if self.pushed else self.fetch

    def info(self, next_run: datetime | None = None) -> SourceInfo:
        """What the server is told of this source."""
        gaps = spacing(self.every, self.cron, self.timezone)
        return SourceInfo(
            name=self.name,
            title=self.title or self.name,
            schedule=self.schedule,
            every=gaps.usual,
            stale_after=self._stale_after(gaps),
            next_run=next_run,
            fetch=self.fetch,
            lead=self.lead,
            fields=self.show,
            expect=str(self.expect),
            quiet=self.quiet,
            aggregate=self.aggregate.info() if self.aggregate else None,
            removal=RemovalInfo(misses=self.removal.misses, hold_above=float(self.removal.hold_above)),
        )

    def _stale_after(self, gaps: Spacing) -> float | None:
        if self.stale_after:
            return float(self.stale_after)
        return gaps.longest and gaps.longest + self.slack(gaps.usual)

    def slack(self, usual: float | None) -> float:
        """Seconds a run may be late before its source is stale."""
        return max((STALE_AFTER_RUNS - 1) * (usual or 0), self.jitter + 10)


class Schedules(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """schedules.yaml."""

    sources: Annotated[dict[str, Source], msgspec.Meta(description="The sources by name.")]
    portals: Annotated[
        list[Text], msgspec.Meta(description="Folders with further scrapers, relative to this file.")
    ] = []
