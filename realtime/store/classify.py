"""What a batch means beside what is stored: pure, no database."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ingest_api.contract import Entry
from realtime.store.change import Kind
from realtime.store.moments import ahead, millis

_deterministic = msgspec.json.Encoder(order="deterministic").encode


class Stored(msgspec.Struct, frozen=True):
    """What is known of a key without its data. `at` is milliseconds."""

    key: str
    present: bool
    misses: int
    digest: bytes
    at: int
    parser: str


class Observed(msgspec.Struct, frozen=True):
    """An entry of a batch, ready to be stored. `fields` is its data, `at` milliseconds."""

    key: str
    topic: str | None
    url: str | None
    fields: Mapping[str, Any]
    digest: bytes
    at: int

    @property
    def data(self) -> str:
        """The data as JSON text, made anew each time: asked for only where the entry is stored."""
        return msgspec.json.encode(self.fields).decode()


class Verdict(msgspec.Struct):
    """A batch sorted: what to write, and counts of what to leave."""

    steps: list[tuple[Observed, Kind]] = []
    seen_again: list[str] = []  # unchanged keys whose misses go back to none
    unchanged: int = 0
    late: int = 0


def observed(entries: Iterable[Entry]) -> list[Observed]:
    """The entries with their digests; of a repeated key the last wins, in the order of first mention."""
    by_key: dict[str, Observed] = {}
    moment, at = None, 0
    for entry in entries:
        assert entry.observed_at is not None, "the door sets it"
        if entry.observed_at is not moment:
            moment, at = entry.observed_at, millis(entry.observed_at)
        digest = hashlib.blake2b(_deterministic((entry.topic, entry.url, entry.data)), digest_size=16).digest()
        key = entry.key
        by_key[key] = Observed(key, entry.topic, entry.url, entry.data, digest, at)
    return list(by_key.values())


def classify(
    batch: Iterable[Observed], stored: Mapping[str, Stored], as_of: int | None, parser: str, now: int
) -> Verdict:
    """Sorts a batch's entries, received `now`, beside what is stored.

    An observation is late, and ignored, when something newer is known: the stored one, or the source's last complete
    run, which began at `as_of` (milliseconds) and confirmed or missed every key. Not so when that was ahead of `now`.
    """
    verdict = Verdict()
    confirmed = as_of or 0
    for entry in batch:
        known = stored.get(entry.key)
        if entry.at < confirmed or (known is not None and entry.at < known.at and not ahead(known.at, now)):
            verdict.late += 1
        elif known is None or not known.present:
            verdict.steps.append((entry, "new"))
        elif known.digest != entry.digest:
            verdict.steps.append((entry, "changed" if known.parser == parser else "corrected"))
        else:
            verdict.unchanged += 1
            if known.misses:
                verdict.seen_again.append(entry.key)
    return verdict


def altered(before: str, after: str) -> str:
    """The old values of the fields that differ, as JSON text; null for a field that was not there."""
    old: dict[str, Any] = msgspec.json.decode(before)
    new: dict[str, Any] = msgspec.json.decode(after)
    was = {
        name: old.get(name)
        for name in {**old, **new}
        if old.get(name) != new.get(name) or (name in old) != (name in new)
    }
    return msgspec.json.encode(was).decode()
