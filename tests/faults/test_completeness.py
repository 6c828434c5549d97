"""Promise 7: the change feed is what a scripted portal's own record says it must be, whatever happens while it is read
and in whatever order what was read arrives; nothing is removed without proof."""

import itertools
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrapers import execute, harvest
from scrapers.config import Settings, Source
from scrapers.config.model import Removal
from scrapers.config.values import Seconds
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Limits, Politeness
from tests.conftest import free_port
from tests.faults.configurations import SQLITE
from tests.faults.effort import times
from tests.faults.installations import Installation
from tests.faults.ledger import Ledger, steps_of
from tests.faults.portal import Data, Look, Mood, ScriptedPortal, scraper
from tests.faults.table import Row, record
from tests.reader import Reader

BATCH = 3  # entries, so that a run has several
LIMITS = Limits(attempts=2, backoff=0)
KEYS = 16
SCENARIO = "a portal that moves, breaks and comes late"

Who = Literal["one", "other"]
"""The scheduler, and the other one that runs by mistake: each with a spool of its own."""


@dataclass(frozen=True)
class Edit:
    """The portal's owner takes items down, puts items up or changes their price, and sorts them anew."""

    down: frozenset[int]
    up: dict[int, int]
    order: int | None


@dataclass(frozen=True)
class Run:
    """A scheduler looks at the portal; without `delivers` what it saw waits in its spool until its next run."""

    who: Who
    mood: Mood
    page: int
    delivers: bool


@dataclass(frozen=True)
class AtOnce:
    """Both look and deliver at the same time."""


Step = Edit | Run | AtOnce

keys = st.integers(0, KEYS - 1)
edits = st.builds(
    Edit,
    down=st.frozensets(keys, max_size=2),
    up=st.dictionaries(keys, st.integers(1, 3), max_size=4),
    order=st.none() | st.integers(0, 99),
)
runs = st.builds(
    Run,
    who=st.sampled_from(get_args(Who)),
    mood=st.just("well") | st.sampled_from(get_args(Mood)),
    page=st.integers(0, 5),
    delivers=st.sampled_from([True, True, False]),
)
programs = st.lists(edits | runs | runs | st.just(AtOnce()), min_size=4, max_size=14)


@dataclass
class Delivery:
    """A run whose delivery is under way."""

    run_id: str
    look: Look

    @property
    def delivered(self) -> dict[str, Data]:
        """What of what it saw is handed on: all that came before a page that did not, or what was sent before it
        turned out that the portal is not as it should be."""
        if self.look.ended or self.look.mood == "cut":
            return self.look.shown
        sent = BATCH * ((len(self.look.shown) - 1) // BATCH)
        return dict(itertools.islice(self.look.shown.items(), max(0, sent)))

    @property
    def last_batch(self) -> str:
        return f"{self.run_id}-{(len(self.look.shown) - 1) // BATCH}"


class World:
    """A portal, two schedulers, a real server, and what of it must be told."""

    def __init__(self, installation: Installation, reader: Reader, portal: ScriptedPortal, source: Source) -> None:
        self.installation = installation
        self.url = installation.server.url
        self.reader = reader
        self.portal = portal
        self.source = source
        self.ledger = Ledger(source.removal.misses)
        self.waiting: dict[Who, list[Delivery]] = {"one": [], "other": []}
        self.looks = 0
        self.gaps: list[tuple[int, int]] = []

    def do(self, step: Step) -> None:
        match step:
            case Edit():
                self.edit(step)
            case Run():
                self.run(step)
            case AtOnce():
                self.at_once()

    def edit(self, edit: Edit) -> None:
        for number in sorted(edit.down):
            if f"k{number}" in self.portal.truth:
                self.portal.take_down(f"k{number}")
        for number, price in edit.up.items():
            self.portal.put(f"k{number}", price)
        if edit.order is not None:
            self.portal.shuffle(edit.order)

    def run(self, run: Run) -> None:
        if run.mood == "shifts" and self.source.removal.misses == 1:
            run = replace(run, mood="well")  # nobody can tell such a look from a whole one: that is what misses are for
        self.waiting[run.who].append(self.look(run.who, run.mood, run.page, run.delivers))
        if run.delivers:
            self.arrived(run.who)
        if run.mood == "shifts":
            self.run(Run(run.who, "well", 0, True))

    def at_once(self) -> None:
        """Who looked first counts first; where an item that is missing twice is gone, the other waits."""
        for who in get_args(Who):
            self.run(Run(who, "well", 0, True))
        if self.source.removal.misses == 1:
            with ThreadPoolExecutor(2) as pool:
                both = list(pool.map(lambda who: self.look(who, "well", 0, True), get_args(Who)))
            for who, delivery in zip(get_args(Who), both, strict=True):
                self.waiting[who].append(delivery)
                self.arrived(who)

    def look(self, who: Who, mood: Mood, page: int, delivers: bool) -> Delivery:
        """A run, as the commands have it."""
        self.looks += 1
        var = Path(self.installation.server.folder) / self.source.name / who
        url = self.url if delivers else f"http://127.0.0.1:{free_port()}"
        config = Settings(Path("none"), var, url, redis_url=self.installation.redis_url)
        seen = self.portal.looked_at(who, mood, page)
        portal = scraper(self.source.name, f"{self.portal.url}/{who}/0")
        visit = HttpVisit(self.source.name, portal.start, var, limits=LIMITS, politeness=Politeness.of(self.source))
        run_id = harvest.new_run_id()
        try:
            summary = execute.deliver(self.source, portal, visit, config, run_id, patience=30 if delivers else 0)
        finally:
            visit.close()
        assert bool(summary.pending) != delivers, summary.lines()
        assert not summary.refused
        return Delivery(run_id, seen)

    def arrived(self, who: Who) -> None:
        """All that waited with a scheduler is with the server, and the feed is as it must be."""
        newest = None
        for delivery in self.waiting[who]:
            held = delivery.look.ended and self._receipt(delivery)["held"] is not None
            self.ledger.take(delivery.look, delivery.delivered, held)
            newest = delivery
        self.waiting[who] = []
        assert newest is not None
        self.check()
        self._decide(newest.look)

    def check(self) -> None:
        """The feed, as it came to a reader, and what is there now."""
        name = self.source.name
        shown = self._get(f"/api/sources/{name}")
        self.reader.reach(name, shown["head"])
        log = self.reader.changes[name]
        assert self.reader.violations == []
        wrong = [(place, change["offset"]) for place, change in enumerate(log, 1) if place != change["offset"]]
        self.gaps += wrong
        assert not wrong
        assert len(log) == shown["head"]
        assert steps_of(log) == self.ledger.feed
        assert self.reader.data(name) == self.ledger.present
        removed = Counter(change["key"] for change in log if change["kind"] == "removed")
        assert removed <= self.portal.taken_down, "an item was removed that the portal had"

    def _decide(self, look: Look) -> None:
        """A person who knows the portal decides what is held."""
        holds = self._get(f"/api/holds?source={self.source.name}")["holds"]
        assert len(holds) == self.ledger.held, "what waits for a person is what looked whole and was not"
        for hold in holds:
            missing = [each["key"] for each in hold["missing"]]
            decision = "discard" if set(missing) & self.portal.truth.keys() else "approve"
            requests.post(f"{self.url}/api/holds/{hold['id']}/{decision}", json={}, timeout=30).raise_for_status()
            self.ledger.held = False
            if decision == "approve":
                self.ledger.approve(missing, look)
                self.check()

    def _receipt(self, delivery: Delivery) -> dict[str, Any]:
        return self._get(f"/api/batches/{self.source.name}/{delivery.last_batch}")

    def _get(self, path: str) -> dict[str, Any]:
        answer = requests.get(self.url + path, timeout=30)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


_numbers = itertools.count()


class Stage:
    """Runs programs, each with a source of its own, and counts what they did."""

    def __init__(self, installation: Installation, reader: Reader) -> None:
        self.installation = installation
        self.reader = reader
        self.looks = 0
        self.changes = 0
        self.gaps: list[tuple[int, int]] = []

    def play(self, program: list[Step], misses: int, redis: bool) -> None:
        deliver: Literal["http", "redis"] = "redis" if redis and self.installation.redis_url else "http"
        source = Source(name=f"shop{next(_numbers)}", pace=Seconds(0), removal=Removal(misses=misses), deliver=deliver)
        portal = ScriptedPortal()
        world = World(self.installation, self.reader, portal, source)
        try:
            world.edit(Edit(frozenset(), dict.fromkeys(range(10), 1), None))
            self.reader.join(source.name, history=True)
            world.run(Run("one", "well", 0, True))
            for step in program:
                world.do(step)
            for _ in range(misses + 1):  # what waits arrives, and what is gone was missed often enough
                for who in get_args(Who):
                    world.run(Run(who, "well", 0, True))
            if portal.truth:
                assert world.ledger.present == portal.truth
            self.reader.ask("leave", {"room": source.name})
        finally:
            portal.stop()
            self.looks += world.looks
            self.changes += len(self.reader.changes.get(source.name, []))
            self.gaps += world.gaps


@pytest.fixture
def stage(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(harvest, "BATCH", BATCH)
    with Reader(installation.server.url) as reader:
        yield Stage(installation, reader)


def plays(stage: Stage, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(program=programs, misses=st.sampled_from([1, 1, 2]), redis=st.booleans())
    def play(program: list[Step], misses: int, redis: bool) -> None:
        stage.play(program, misses, redis)

    play()


def test_the_feed_is_what_the_portals_record_says(stage: Stage) -> None:
    differ: list[str] = []
    try:
        plays(stage, times(short=4, long=100))
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - counted, and told with Hypothesis's program
        differ.append("".join(traceback.format_exception(error)))
    name = stage.installation.name
    record(Row(SCENARIO, name, 3, len(stage.gaps), stage.changes, "offsets of its feed"), stage.gaps)
    record(Row(SCENARIO, name, 7, len(differ), stage.looks, "looks at a portal"), differ)


def hasty(self: harvest.Harvest, _error: Exception | SystemExit) -> Any:
    """Takes what was seen for everything, though a page did not come."""
    self._hand_on(complete=True)
    return self._finish("complete")


@pytest.mark.parametrize("installation", [SQLITE], indirect=True)
def test_a_removal_after_a_partial_page_would_be_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harvest.Harvest, "_ended_by", hasty)
    with pytest.raises(AssertionError, match="removed"):
        stage.play([Run("one", "cut", 4, True)], misses=1, redis=False)
