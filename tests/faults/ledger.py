"""What must come of a portal's record: the feed of a source, worked out from what each delivered run was shown."""

from dataclasses import dataclass
from typing import Any

from tests.faults.portal import Data, Look

Step = tuple[str, Data | None]
"""A change: its kind, and the data that it tells."""

SHARE = 0.5  # of what was there, above which a run is not believed


@dataclass
class Kept:
    """An entry as it must be known: the look that showed it so first, and how many whole looks missed it since it was
    shown last. A look that shows nothing else writes nothing: of an older one that comes late, what is different is
    told, and by the next look what is true."""

    data: Data
    shown: int
    misses: int = 0
    present: bool = True


class Ledger:
    """`feed` is each key's changes, in order. Looks are taken in the order in which they arrive, which need not be
    that in which the portal showed them."""

    def __init__(self, misses: int) -> None:
        self.feed: dict[str, list[Step]] = {}
        self.held = False  # whether a person has to decide
        self._misses = misses
        self._entries: dict[str, Kept] = {}
        self._confirmed = 0  # the newest whole look that was believed
        self._believed = 0  # entries that were present then

    @property
    def present(self) -> dict[str, Data]:
        """What must be there now."""
        return {key: kept.data for key, kept in self._entries.items() if kept.present}

    def take(self, look: Look, delivered: dict[str, Data], held: bool) -> None:
        """A run's delivery arrives. It was `held` for a person to decide; AssertionError when it had to be and was not,
        or was and had no reason to."""
        for key, data in delivered.items():
            self._show(key, data, look.number)
        if not look.ended or look.number < self._confirmed:
            assert not held, "a run was held that says nothing of what is missing"
            return
        absent = [key for key, kept in self._absent(look.number) if key not in look.shown]
        least, most = self._believed, self._believed + len(absent)  # some may have come since then
        assert held or len(absent) <= SHARE * most, f"not held, though {len(absent)} of {most} are missing"
        assert not held or len(absent) > SHARE * least, f"held, though only {len(absent)} of {least} are missing"
        self.held = held
        if held:
            return
        self._confirmed = look.number
        for key in absent:
            kept = self._entries[key]
            kept.misses += 1
            if kept.misses >= self._misses:
                self._remove(key)
        self._believed = len(self.present)

    def approve(self, keys: list[str], look: Look) -> None:
        """A person says that these are really gone, as `look` had it."""
        self._confirmed = max(self._confirmed, look.number)
        gone = [key for key, _ in self._absent(look.number) if key in keys]
        for key in gone:
            self._remove(key)
        self._believed = len(self.present)

    def _absent(self, number: int) -> list[tuple[str, Kept]]:
        return [(key, kept) for key, kept in self._entries.items() if kept.present and kept.shown <= number]

    def _show(self, key: str, data: Data, number: int) -> None:
        kept = self._entries.get(key)
        if number < self._confirmed or (kept and number < kept.shown):
            return  # something newer is known
        steps = self.feed.setdefault(key, [])
        if kept is None or not kept.present:
            steps.append(("new", data))
        elif kept.data != data:
            steps.append(("changed", data))
        else:
            kept.misses = 0
            return
        self._entries[key] = Kept(data, number)

    def _remove(self, key: str) -> None:
        self._entries[key].present = False
        self.feed[key].append(("removed", None))


def steps_of(changes: list[dict[str, Any]]) -> dict[str, list[Step]]:
    """The same of a feed as a reader took it."""
    found: dict[str, list[Step]] = {}
    for change in changes:
        removed = change["kind"] == "removed"
        found.setdefault(change["key"], []).append((change["kind"], None if removed else change["data"]))
    return found
