"""A scripted portal that keeps its own record: seeded batches, and for each what must come of it."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

MISSES = 2  # complete runs without an entry until it is removed, as a source is configured unless told
FIRST, FEWEST = 10, 7  # entries
AWAY = 2  # entries that may be gone and not removed yet: fewer than are held for a person

Step = tuple[str, str, int | None]
"""Kind, key and the step that the entry's data names; of a removal None."""


@dataclass(frozen=True)
class Sent:
    """A batch as it goes over the wire, and the changes that it makes, in order."""

    batch: dict[str, Any]
    steps: list[Step]

    def counts(self) -> dict[str, int]:
        """What its receipt must say."""
        kinds = [kind for kind, _, _ in self.steps]
        counts = {kind: kinds.count(kind) for kind in ("new", "changed", "removed")}
        shown = len(self.batch["entries"])
        return {**counts, "unchanged": shown - counts["new"] - counts["changed"], "late": 0}


class Portal:
    """One source. Every data says in which step it was made, so that no two changes are equal. Batches must arrive in
    order, each before the next is made."""

    def __init__(self, source: str, seed: int, now: Callable[[], datetime] | None = lambda: datetime.now(UTC)) -> None:
        """`now` is its clock; without one its batches tell no moment."""
        self.source = source
        self._now = now
        self._random = random.Random(seed)
        self._name = f"{source}-{seed}"
        self._step = 0
        self._shown: dict[str, int] = {}  # key -> step, as the portal shows it
        self._known: dict[str, int] = {}  # the same as the store must have it
        self._misses: dict[str, int] = {}
        self._moment = datetime.min.replace(tzinfo=UTC)
        self._keys = 0

    def next(self) -> Sent:
        """What the portal shows now: all of it, or the part that a run delivers as it goes."""
        self._step += 1
        self._vanish()
        for key in self._picked(list(self._shown), 3):
            self._shown[key] = self._step
        for _ in range(FIRST if self._step == 1 else self._random.randint(0, 2)):
            self._keys += 1
            self._shown[f"k{self._keys}"] = self._step
        complete = self._random.random() < 0.6
        delivered = list(self._shown) if complete else self._picked(list(self._shown), 6)
        run = f"{self._name}-{self._step}"
        batch: dict[str, Any] = {
            "source": self.source,
            "run_id": run,
            "batch_id": run,
            "entries": [{"key": key, "data": {"step": self._shown[key]}} for key in delivered],
            "complete": complete,
        }
        if self._now is not None:
            self._moment = max(self._now(), self._moment + timedelta(milliseconds=1))
            batch["as_of"] = self._moment.isoformat()
            for entry in batch["entries"]:
                entry["observed_at"] = batch["as_of"]
        return Sent(batch, self._steps(delivered, complete))

    def elsewhere(self) -> "Portal":
        """Becomes one that goes on with steps of its own, which no other one makes."""
        self._step += 1_000_000
        self._random.seed(self._step)
        return self

    def _steps(self, delivered: list[str], complete: bool) -> list[Step]:
        steps: list[Step] = []
        for key in delivered:
            if self._known.get(key) != self._shown[key]:
                steps.append(("changed" if key in self._known else "new", key, self._shown[key]))
            self._known[key] = self._shown[key]
            self._misses.pop(key, None)
        for key in sorted(self._known.keys() - self._shown.keys()) if complete else ():
            self._misses[key] = self._misses.get(key, 0) + 1
            if self._misses[key] == MISSES:
                steps.append(("removed", key, None))
                del self._known[key], self._misses[key]
        return steps

    def _vanish(self) -> None:
        away = len(self._known.keys() - self._shown.keys())
        if away < AWAY and len(self._shown) > FEWEST and self._random.random() < 0.5:
            del self._shown[self._random.choice(list(self._shown))]

    def _picked(self, keys: list[str], most: int) -> list[str]:
        return self._random.sample(keys, min(len(keys), self._random.randint(1, most)))
