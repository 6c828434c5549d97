"""When a run may say what has vanished, and what it does with what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingest_api.contract import Batch, Entry, RunReport
from scrapers.config import Expect, Source
from scrapers.errors import FetchFailed, SelectorFailed, SpoolFull
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Limits, Politeness
from scrapers.harvest import BATCH, Harvest
from scrapers.page import Page
from scrapers.portal import Portal, Scrape
from scrapers.visit import Visit
from tests.scrapers.web import Web, html


@dataclass
class Kept:
    """A sink that keeps what it is given."""

    reports: list[RunReport] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    unfit: list[dict[str, Any]] = field(default_factory=list)

    def report(self, report: RunReport) -> None:
        self.reports.append(report)

    def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
        self.batches.append(batch)
        self.unfit += unfit


@dataclass
class Bench:
    """Runs a function as a portal against the test's server."""

    web: Web
    var: Path
    kept: Kept = field(default_factory=Kept)

    def run(self, scrape: Scrape, **settings: Any) -> RunReport:
        portal = Portal("shop", f"{self.web.url}/list", scrape, "3", "", Path(__file__))
        source = Source(name="shop", **settings)
        visit = HttpVisit(
            "shop",
            portal.start,
            self.var,
            limits=Limits(attempts=1, read=1),
            politeness=Politeness(pace=0, robots=False),
        )
        try:
            return Harvest(source, portal, visit, self.kept, self.var).run()
        finally:
            visit.close()


@pytest.fixture
def bench(web: Web, tmp_path: Path) -> Bench:
    web.pages["/list"] = html("<title>Shop</title><p>" + "A list of things to buy. " * 5)
    return Bench(web, tmp_path)


def items(count: int, **more: Any) -> Scrape:
    """A portal with so many entries."""

    def scrape(visit: Visit) -> Iterator[Entry]:
        visit()
        for number in range(count):
            yield Entry(key=f"k{number}", data={"name": f"Item {number}", **more})

    return scrape


def test_a_whole_run_says_so_and_names_every_key(bench: Bench) -> None:
    report = bench.run(items(3))
    assert [each.state for each in bench.kept.reports] == ["running", "complete"]
    [batch] = bench.kept.batches
    assert (batch.complete, batch.keys, batch.parser) == (True, ["k0", "k1", "k2"], "3")
    assert batch.as_of == report.started_at
    assert all(entry.observed_at and entry.observed_at >= report.started_at for entry in batch.entries)


@pytest.mark.parametrize(("count", "sizes"), [(BATCH, [BATCH]), (BATCH + 1, [BATCH, 1]), (2 * BATCH, [BATCH, BATCH])])
def test_batches_go_as_the_run_goes_and_only_the_last_is_complete(bench: Bench, count: int, sizes: list[int]) -> None:
    bench.run(items(count))
    assert [len(batch.entries) for batch in bench.kept.batches] == sizes
    assert [batch.complete for batch in bench.kept.batches] == [False] * (len(sizes) - 1) + [True]
    assert len(bench.kept.batches[-1].keys or []) == count
    assert len({batch.batch_id for batch in bench.kept.batches}) == len(sizes)


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        (Expect(at_least=4), "quality"),
        (Expect(at_most=2), "quality"),
        (Expect(required=["name", "price"]), "field_missing"),
    ],
)
def test_a_run_that_does_not_look_good_delivers_nothing(bench: Bench, expect: Expect, code: str) -> None:
    report = bench.run(items(3), expect=expect)
    assert bench.kept.batches == []
    assert report.state == "failed"
    assert report.fault is not None
    assert report.fault.code == code


def test_an_empty_listing_is_a_failure_unless_it_is_expected(bench: Bench) -> None:
    assert bench.run(items(0)).state == "failed"
    assert bench.kept.batches == []
    assert bench.run(items(0), expect=Expect(at_least=0)).state == "complete"
    assert bench.kept.batches[0].keys == []


def test_a_long_run_that_ends_badly_is_never_complete(bench: Bench) -> None:
    report = bench.run(items(BATCH + 10), expect=Expect(at_least=10_000))
    assert [batch.complete for batch in bench.kept.batches] == [False]
    assert (report.state, report.seen) == ("partial", BATCH + 10)


def test_what_another_try_will_not_mend_is_a_failure_whatever_came_before(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(BATCH + 1)(visit)
        raise SelectorFailed("no rows", selector="tr")

    report = bench.run(scrape)
    assert [batch.complete for batch in bench.kept.batches] == [False]
    assert report.state == "failed"
    assert report.fault is not None
    assert report.fault.lasting


def test_a_page_that_does_not_come_ends_the_run_as_partial(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(2)(visit)
        visit("/unplugged")

    bench.web.pages["/unplugged"] = lambda request: request.send(b"", 500)
    report = bench.run(scrape)
    assert (report.state, report.seen) == ("partial", 2)
    [batch] = bench.kept.batches
    assert (batch.complete, batch.keys, len(batch.entries)) == (False, None, 2)
    assert report.fault is not None
    assert report.fault.page == f"{bench.web.url}/unplugged"


def interrupted(visit: Visit) -> Iterator[Entry]:
    """A portal during whose fourth entry somebody presses Ctrl-C."""
    yield from items(3)(visit)
    raise KeyboardInterrupt


def test_what_an_interrupted_run_has_read_is_handed_on(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.run(interrupted)
    [batch] = bench.kept.batches
    assert (batch.complete, batch.keys, len(batch.entries)) == (False, None, 3)
    assert [report.state for report in bench.kept.reports] == ["running", "failed"]
    fault = bench.kept.reports[-1].fault
    assert fault is not None
    assert fault.code == "interrupted"


def test_what_does_not_look_good_is_not_handed_on_because_of_an_interruption(bench: Bench) -> None:
    with pytest.raises(KeyboardInterrupt):
        bench.run(interrupted, expect=Expect(required=["price"]))
    assert bench.kept.batches == []
    assert [report.state for report in bench.kept.reports] == ["running", "failed"]


def test_an_interrupted_delivery_is_handed_on_again_as_another_batch(bench: Bench) -> None:
    class Slow(Kept):
        def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
            super().batch(batch, unfit)
            if len(self.batches) == 1:
                raise KeyboardInterrupt

    bench.kept = Slow()
    with pytest.raises(KeyboardInterrupt):
        bench.run(items(3))
    assert [(batch.complete, len(batch.entries)) for batch in bench.kept.batches] == [(True, 3), (False, 3)]
    assert len({batch.batch_id for batch in bench.kept.batches}) == 2


def test_who_interrupts_twice_does_not_wait(bench: Bench) -> None:
    class Slow(Kept):
        def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
            raise KeyboardInterrupt

    bench.kept = Slow()
    with pytest.raises(KeyboardInterrupt):
        bench.run(interrupted)
    assert [report.state for report in bench.kept.reports] == ["running"]


def test_a_page_that_the_scraper_steps_over_leaves_a_doubt(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        try:
            visit("/gone")
        except FetchFailed:
            yield from items(2)(visit)

    report = bench.run(scrape)
    assert report.state == "partial"
    assert report.fault is not None
    assert report.fault.code == "pages_missed"
    assert [batch.complete for batch in bench.kept.batches] == [False]


def test_a_bug_is_told_and_its_page_kept(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(1)(visit)
        raise ZeroDivisionError("by hand")

    report = bench.run(scrape)
    assert report.state == "failed"
    assert bench.kept.batches == []
    assert report.fault is not None
    assert report.fault.message == "ZeroDivisionError: by hand"
    assert "things to buy" in Path(report.fault.saved or "").read_text()


@pytest.mark.parametrize(
    ("read", "code"),
    [
        (lambda page: page.one("table"), "selector"),
        (lambda page: page.all("p")[0].money(), "unreadable"),
        (lambda page: page.all("p", at_least=2), "selector"),
    ],
)
def test_the_page_that_is_kept_is_the_one_that_failed(bench: Bench, read: Callable[[Page], Any], code: str) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        listing = visit()
        visit("/item")
        yield Entry(key="a", data={"price": read(listing)})

    bench.web.pages["/item"] = html("<title>Item</title><p>" + "All about one thing. " * 10)
    report = bench.run(scrape)
    assert report.fault is not None
    assert (report.fault.code, report.fault.page) == (code, f"{bench.web.url}/list")
    assert "things to buy" in Path(report.fault.saved or "").read_text()


def test_a_page_that_did_not_come_is_not_kept_as_the_one_before_it(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(1)(visit)
        visit("/slow")

    bench.web.pages["/slow"] = lambda request: bench.web.stopping.wait(10) and None
    report = bench.run(scrape)
    assert report.fault is not None
    assert (report.fault.code, report.fault.page) == ("timeout", f"{bench.web.url}/slow")
    assert report.fault.saved is None
    assert not list(bench.var.glob("failures/*/*"))


def test_a_refusal_is_kept_as_it_came(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(1)(visit)
        visit("/closed")

    bench.web.pages["/closed"] = lambda request: request.send(b"<p>closed on Sundays", 403)
    fault = bench.run(scrape).fault
    assert fault is not None
    assert "closed on Sundays" in Path(fault.saved or "").read_text()


def test_an_entry_that_does_not_fit_harms_no_other_and_is_kept(bench: Bench) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(2)(visit)
        yield Entry(key="odd", data={"sizes": {1, 2}})

    report = bench.run(scrape)
    assert report.state == "complete"
    [batch] = bench.kept.batches
    assert batch.keys == ["k0", "k1", "odd"]
    assert len(batch.entries) == 2
    [unfit] = bench.kept.unfit
    assert unfit["key"] == "odd"
    assert "data holds a set" in unfit["data"]


@pytest.mark.parametrize("key", ["", "  ", "x" * 300, None, 7])
def test_an_entry_without_a_key_leaves_a_doubt(bench: Bench, key: Any) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        yield from items(2)(visit)
        yield Entry(key=key, data={})

    report = bench.run(scrape)
    assert (report.state, report.seen) == ("partial", 3)
    assert [batch.complete for batch in bench.kept.batches] == [False]
    assert len(bench.kept.unfit) == 1


@pytest.mark.parametrize("yielded", [{"key": "a"}, None, "text"])
def test_what_is_no_entry_fails_the_run(bench: Bench, yielded: Any) -> None:
    report = bench.run(lambda visit: iter([yielded]))
    assert report.fault is not None
    assert "an Entry is expected" in report.fault.message


def test_a_listing_without_end_is_ended_at_the_limit(bench: Bench) -> None:
    report = bench.run(items(10**9), limit=0.2)
    assert report.fault is not None
    assert report.fault.code == "hung"
    assert not any(batch.complete for batch in bench.kept.batches)


def test_a_full_spool_is_no_fault_of_the_portal(bench: Bench) -> None:
    class Full(Kept):
        def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
            raise SpoolFull

    bench.kept = Full()
    with pytest.raises(SpoolFull):
        bench.run(items(3))
    assert [report.state for report in bench.kept.reports] == ["running"]
