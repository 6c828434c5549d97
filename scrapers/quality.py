"""What a good run looks like (`expect` in schedules.yaml). A run that is not good must not say what has vanished."""

from collections import Counter
from collections.abc import Iterable

from ingest_api.contract import Entry
from scrapers.config import Expect
from scrapers.errors import FieldMissing, QualityFailed


def check_fields(expect: Expect, entries: Iterable[Entry]) -> None:
    """Raises FieldMissing, which counts the entries without a required field and names the first."""
    entries = list(entries)
    for name in expect.required:
        lacking = [entry.key for entry in entries if entry.data.get(name) in (None, "", [], {})]
        if lacking:
            raise FieldMissing(f"{len(lacking)} of {len(entries)} entries have no {name}, the first is {lacking[0]!r}")


def check_most(expect: Expect, seen: int) -> None:
    """Raises QualityFailed as soon as there are too many."""
    if expect.at_most is not None and seen > expect.at_most:
        raise QualityFailed(f"more than the {expect.at_most} entries expected at most: {seen} so far")


def check_least(expect: Expect, seen: int) -> None:
    """Raises QualityFailed when a run ended with too few."""
    if seen < expect.at_least:
        raise QualityFailed(f"{seen} entries, at least {expect.at_least} expected: is the listing complete?")


def repeated(keys: Iterable[str]) -> list[str]:
    """The keys that came more than once: the later entry replaces the earlier one."""
    return [key for key, count in Counter(keys).items() if count > 1]
