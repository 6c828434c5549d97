"""What people and programs see over HTTP. Moments are ISO 8601 in UTC; `data` and `was` are objects."""

from typing import Any, Literal

import msgspec

from ingest_api.contract import Aggregate, Removal, RunFault
from realtime.store.standing import State

RunState = Literal["running", "complete", "partial", "failed", "held"]


class RunView(msgspec.Struct, kw_only=True):
    """A run: how it ended, and what its batches did."""

    id: str
    source: str
    state: RunState
    started: str
    finished: str | None
    pages: int
    seen: int
    new: int
    changed: int
    corrected: int
    removed: int
    unchanged: int
    late: int
    rejected: int
    fault: RunFault | None


class SourceView(msgspec.Struct, kw_only=True):
    """A source: how it is configured, whether it can be trusted, and its last runs (oldest first).

    `since` and `reason` say since when and why it is in doubt; `rejected` counts entries of the last 24 hours.
    """

    name: str
    title: str
    schedule: str
    every: float | None
    stale_after: float | None
    next_run: str | None
    fetch: str
    lead: str | None
    fields: dict[str, dict[str, Any]]
    expect: str
    removal: Removal
    quiet: bool
    aggregate: Aggregate | None
    state: State
    since: str | None
    reason: str | None
    as_of: str | None
    head: int
    present: int
    hold: int | None
    rejected: int
    last_run: RunView | None
    runs: list[RunView]


class SourcesView(msgspec.Struct, kw_only=True):
    """Every source."""

    epoch: str
    sources: list[SourceView]


class EntryView(msgspec.Struct, kw_only=True):
    """An entry at its newest version; `kind` and `at` are of the change that made it."""

    source: str
    key: str
    version: int
    offset: int
    kind: str
    present: bool
    topic: str | None
    data: msgspec.Raw
    was: msgspec.Raw | None
    url: str | None
    first_seen: str
    at: str


class EntriesView(msgspec.Struct, kw_only=True):
    """A page of entries, newest change first; `next` is the `after` of the page that follows."""

    entries: list[EntryView]
    next: str | None


class VersionView(msgspec.Struct, kw_only=True):
    """One version of an entry; `was` holds the old values of what it altered."""

    version: int
    kind: str
    offset: int
    at: str
    topic: str | None
    data: msgspec.Raw
    was: msgspec.Raw | None
    url: str | None
    run_id: str


class HistoryView(msgspec.Struct, kw_only=True):
    """An entry's versions, newest first."""

    source: str
    key: str
    versions: list[VersionView]


class RunsView(msgspec.Struct, kw_only=True):
    """A page of runs, newest first."""

    runs: list[RunView]
    next: str | None


class DeadLetterView(msgspec.Struct, kw_only=True):
    """A rejected entry: why, and what it was."""

    id: int
    source: str
    run_id: str
    batch_id: str
    index: int
    key: str | None
    error: str
    payload: str
    at: str


class DeadLettersView(msgspec.Struct, kw_only=True):
    """A page of rejected entries, newest first."""

    dead_letters: list[DeadLetterView]
    next: str | None


class MissingView(msgspec.Struct, kw_only=True):
    """An entry that a held run would remove."""

    key: str
    topic: str | None
    data: msgspec.Raw


class TopicCount(msgspec.Struct, kw_only=True):
    """Of the entries of a topic, how many the held run saw."""

    seen: int
    present: int


class UsualView(msgspec.Struct, kw_only=True):
    """The means of the last complete runs, to hold a suspect one against."""

    pages: float
    seconds: float
    seen: float


class HoldView(msgspec.Struct, kw_only=True):
    """A run that would remove too much and waits for a person, the newest of those that are held since `at`; `missing`
    names the first of what approving removes: what all of them missed."""

    id: int
    source: str
    run_id: str
    at: str
    as_of: str
    present: int
    seen: int
    hold_above: float
    missing_count: int
    missing: list[MissingView]
    by_topic: dict[str, TopicCount]
    run: RunView | None
    usual: UsualView | None


class HoldsView(msgspec.Struct, kw_only=True):
    """The runs that wait for a decision, oldest first."""

    holds: list[HoldView]


class DecisionView(msgspec.Struct, kw_only=True):
    """What a decision did."""

    removed: int
