"""The transaction, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ingest_api.contract import Batch, Entry, Receipt, Removal, RunFault, RunReport, SourceInfo
from ingest_api.contract.errors import BatchConflict, NotFound
from ingest_api.contract.wire import decode_submission
from realtime.store import activity, bulk, holding, look, read, told, write
from realtime.store.commit import Committed, commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.schema import dead_letters, entries
from realtime.store.standing import info_of, standing

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


class Bench:
    """A database and a clock: each delivery is a minute after the one before, or when what it holds was seen."""

    def __init__(self, url: str) -> None:
        self.engine = open_engine(url, writes=True)
        migrate(self.engine)
        self.minute = 0
        self.now = START

    def send(self, *rows: tuple[str, dict[str, Any]], at: datetime | None = None, **fields: Any) -> Receipt:
        return self.commit(*rows, at=at, **fields).receipt

    def commit(self, *rows: tuple[str, dict[str, Any]], at: datetime | None = None, **fields: Any) -> Committed:
        self.minute += 1
        now = START + timedelta(minutes=self.minute)
        topics = fields.pop("topics", {})
        batch = Batch(
            **{
                "source": "vendor_x",
                "run_id": f"run-{self.minute}",
                "batch_id": f"batch-{self.minute}",
                "entries": [Entry(key=k, data=d, topic=topics.get(k), observed_at=at or now) for k, d in rows],
                **fields,
            }
        )
        self.now = max(self.now, now, at or now)
        submission = decode_submission(msgspec.json.encode(batch), received_at=self.now)
        return self.write(lambda connection: commit_batch(connection, submission, "epoch"))

    def complete(self, *keys: str, **fields: Any) -> Receipt:
        return self.send(*((key, {"n": 1}) for key in keys), complete=True, **fields)

    def write(self, operation: Any) -> Any:
        with self.engine.begin() as connection:
            return operation(connection)

    def log(self, source: str = "vendor_x") -> list[tuple[int, str, str]]:
        with self.engine.begin() as connection:
            return [(c.offset, c.kind, c.key) for c in read.log(connection, source, 0).changes]

    def state(self, later: timedelta = timedelta(0)) -> str:
        with self.engine.begin() as connection:
            (vitals,) = read.vitals(connection)
        now = START + timedelta(minutes=self.minute) + later
        return standing(vitals, info_of(vitals), int(now.timestamp() * 1000)).state


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    bench = Bench(database_url)
    yield bench
    bench.engine.dispose()


def counts(receipt: Receipt) -> tuple[int, ...]:
    return receipt.new, receipt.changed, receipt.removed, receipt.unchanged


def test_new_changed_unchanged_and_their_offsets(bench: Bench) -> None:
    assert counts(bench.send(("a", {"p": "1"}), ("b", {"p": "1"}))) == (2, 0, 0, 0)
    receipt = bench.send(("a", {"p": "2"}), ("b", {"p": "1"}))
    assert counts(receipt) == (0, 1, 0, 1)
    assert receipt.offset == 3
    assert bench.log() == [(1, "new", "a"), (2, "new", "b"), (3, "changed", "a")]


@pytest.mark.parametrize("count", [bulk.TOGETHER - 1, bulk.TOGETHER, 2 * bulk.TOGETHER + 3])
def test_a_large_batch_is_stored_like_a_small_one(bench: Bench, count: int) -> None:
    def rows(price: int) -> list[tuple[str, dict[str, Any]]]:
        return [(f"k{n:03}", {"n": n, "price": price}) for n in range(count)]

    assert counts(bench.send(*rows(1))) == (count, 0, 0, 0)
    assert counts(bench.send(*rows(2))) == (0, count, 0, 0)
    assert counts(bench.send(*rows(2))) == (0, 0, 0, count)
    keys = [key for key, _ in rows(0)]
    assert [key for _, _, key in bench.log()] == keys + keys
    stored = bench.write(lambda connection: write.values(connection, "vendor_x", keys))
    assert {key: (value.version, msgspec.json.decode(value.data)) for key, value in stored.items()} == {
        key: (2, data) for key, data in rows(2)
    }


def test_a_change_says_what_was(bench: Bench) -> None:
    bench.send(("a", {"p": "1", "gone": 1, "same": 0}))
    stretch = bench.commit(("a", {"p": "2", "same": 0, "more": None})).stretch
    assert stretch is not None
    assert msgspec.json.decode(stretch.changes[0].was or "") == {"p": "1", "gone": 1, "more": None}


def test_the_same_batch_twice_changes_nothing_and_answers_the_same(bench: Bench) -> None:
    fields = {"batch_id": "b1", "run_id": "r1", "at": START}
    first = bench.commit(("a", {"p": "1"}), **fields)
    again = bench.commit(("a", {"p": "1"}), **fields)
    assert again.receipt == first.receipt
    assert again.stretch is None
    assert len(bench.log()) == 1


def test_a_batch_id_with_another_content_is_a_conflict(bench: Bench) -> None:
    bench.send(("a", {"p": "1"}), batch_id="b1")
    with pytest.raises(BatchConflict):
        bench.send(("a", {"p": "2"}), batch_id="b1")
    assert len(bench.log()) == 1


def test_of_a_repeated_key_the_last_wins(bench: Bench) -> None:
    assert bench.send(("a", {"p": "1"}), ("a", {"p": "2"})).new == 1
    assert bench.send(("a", {"p": "2"})).unchanged == 1


def test_an_older_observation_does_not_undo_a_newer_one(bench: Bench) -> None:
    bench.send(("a", {"p": "1"}))
    bench.send(("a", {"p": "3"}), at=START + timedelta(hours=1))
    receipt = bench.send(("a", {"p": "2"}), at=START + timedelta(minutes=30))
    assert (receipt.late, receipt.changed) == (1, 0)


def test_a_late_observation_of_an_unchanged_entry_is_late_beside_the_complete_run(bench: Bench) -> None:
    bench.complete("a")
    bench.complete("a", as_of=START + timedelta(hours=1), at=START + timedelta(hours=1))
    assert bench.send(("a", {"n": 2}), at=START + timedelta(minutes=30)).late == 1


def test_nothing_is_late_beside_a_moment_that_has_not_come(bench: Bench) -> None:
    configured(bench, misses=1, every=60.0)
    bench.complete("a", "b", "c", at=START + timedelta(days=1))
    bench.now = START  # the clock is set right
    assert bench.state() == "stale"
    assert counts(bench.send(("a", {"n": 2}), ("b", {"n": 1}), complete=True)) == (0, 1, 1, 1)
    assert bench.state() == "fresh"


def test_a_run_fails_though_a_complete_one_has_not_come(bench: Bench) -> None:
    bench.complete("a", at=datetime.now(UTC) + timedelta(days=1))
    failed(bench, lasting=True)
    assert bench.state() == "failing"


def test_a_pushed_source_takes_each_key_by_its_own_time(bench: Bench) -> None:
    bench.send(("a", {"p": "1"}), at=START + timedelta(hours=1))
    assert bench.send(("b", {"p": "1"}), at=START).new == 1


def test_removed_after_the_second_miss_and_listed_again(bench: Bench) -> None:
    bench.complete("a", "b", "c")
    assert bench.complete("a", "b").removed == 0
    assert bench.complete("a", "b").removed == 1
    assert bench.complete("a", "b", "c").new == 1
    assert bench.log()[3:] == [(4, "removed", "c"), (5, "new", "c")]
    with bench.engine.begin() as connection:
        version = connection.execute(sa.select(entries.c.version).where(entries.c.key == "c")).scalar()
    assert version == 3


def test_a_key_seen_again_starts_its_misses_anew(bench: Bench) -> None:
    bench.complete("a", "b", "c")
    for keys in ("ab", "abc", "ab"):
        assert bench.complete(*keys).removed == 0


def test_an_incomplete_batch_removes_nothing(bench: Bench) -> None:
    bench.complete("a", "b", "c")
    for _ in range(4):
        bench.send(("a", {"n": 1}))
    assert [kind for _, kind, _ in bench.log()] == ["new"] * 3


def test_keys_of_earlier_batches_of_a_run_count_as_seen(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete("a", "b", "c")
    bench.send(("a", {"n": 1}), ("b", {"n": 1}), run_id="r", batch_id="r-0")
    receipt = bench.send(("c", {"n": 1}), run_id="r", batch_id="r-1", complete=True, keys=["a", "b", "c"])
    assert receipt.removed == 0


def test_too_much_missing_is_held_and_approved(bench: Bench) -> None:
    bench.complete("a", "b", "c", "d")
    receipt = bench.complete("a")
    assert receipt.removed == 0
    assert receipt.held is not None
    assert bench.state() == "suspect"
    stretch = bench.write(lambda c: holding.decide(c, receipt.held, "approved", 0))
    assert [(c.kind, c.key) for c in stretch.changes] == [("removed", "b"), ("removed", "c"), ("removed", "d")]
    assert bench.state() == "fresh"
    with pytest.raises(NotFound):
        bench.write(lambda c: holding.decide(c, receipt.held, "approved", 0))


def test_a_discarded_hold_removes_nothing(bench: Bench) -> None:
    bench.complete("a", "b", "c", "d")
    held = bench.complete("a").held
    bench.write(lambda c: holding.decide(c, held, "discarded", 0))
    assert len(bench.log()) == 4
    assert bench.state() == "fresh"


def test_a_good_run_settles_a_hold(bench: Bench) -> None:
    bench.complete("a", "b", "c", "d")
    held = bench.complete("a").held
    bench.complete("a", "b", "c", "d")
    assert bench.state() == "fresh"
    with pytest.raises(NotFound):
        bench.write(lambda c: holding.decide(c, held, "approved", 0))


def test_a_hold_keeps_its_name_while_runs_go_on_and_removes_no_more_than_was_shown(bench: Bench) -> None:
    bench.complete(*"abcdefgh")
    first = bench.complete(*"ab").held
    second = bench.complete(*"bc").held  # c is back, a is missing now too
    third = bench.complete(*"bc").held
    assert first == second == third
    assert first is not None
    stretch = bench.write(lambda c: holding.decide(c, first, "approved", 0))
    assert [c.key for c in stretch.changes] == list("defgh")
    assert bench.state() == "fresh"
    assert bench.complete(*"bc").held is None  # a is one of three


def test_another_question_is_another_hold_and_the_old_one_says_so(bench: Bench) -> None:
    bench.complete(*"abcdefgh")
    first, second = bench.complete(*"abc").held, bench.complete(*"fgh").held
    assert first != second
    with pytest.raises(NotFound, match=f"hold {second} waits in its place"):
        bench.write(lambda c: holding.decide(c, first, "approved", 0))
    bench.write(lambda c: holding.decide(c, second, "discarded", 0))
    with pytest.raises(NotFound, match=f"hold {second} was discarded"):
        bench.write(lambda c: holding.decide(c, second, "approved", 0))
    third = bench.complete("a").held
    bench.complete(*"abcdefgh")
    with pytest.raises(NotFound, match="a later run saw enough"):
        bench.write(lambda c: holding.decide(c, third, "approved", 0))


def test_a_redesign_that_renames_every_key_is_held(bench: Bench) -> None:
    """However often it says the same: what held runs added makes nothing more believable."""
    configured(bench, misses=1)
    bench.complete(*keys("a"), at=seen_at(1), as_of=START)
    for hour in (1, 2, 3):
        began = START + timedelta(hours=hour)
        receipt = bench.complete(*keys("b"), at=began + timedelta(seconds=5), as_of=began)
        assert (receipt.removed, bench.state()) == (0, "suspect")
        assert receipt.held is not None
    again = bench.complete(*keys("a"), at=seen_at(300), as_of=seen_at(299))
    assert (again.removed, again.held) == (120, None)  # it is as it was


def test_a_redesign_of_which_pages_were_lost_is_held_when_it_is_whole(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete(*keys("a"))
    bench.send(*((key, {"n": 1}) for key in keys("b")))
    assert bench.complete(*keys("b")).held is not None


def test_a_redesign_back_to_keys_that_were_removed_is_held_too(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete(*keys("a"))
    held = bench.complete(*keys("b")).held
    bench.write(lambda c: holding.decide(c, held, "approved", 0))
    for number in range(3):
        assert bench.complete(*keys("a"), topics={"a0": f"t{number}"}).held is not None


def test_what_a_believed_run_was_the_first_to_see_is_known_to_the_next(bench: Bench) -> None:
    """A run sees its entries after it began."""
    bench.complete(*keys("a"), at=seen_at(5), as_of=START)
    receipt = bench.complete(*keys("a")[1:], at=seen_at(60), as_of=seen_at(50))
    assert receipt.held is None
    assert bench.complete(*keys("a")[1:], at=seen_at(90), as_of=seen_at(80)).removed == 1


def test_a_late_complete_run_removes_nothing(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete("a", "b", "c", as_of=START + timedelta(minutes=30), at=START + timedelta(minutes=30))
    receipt = bench.complete("a", "b", as_of=START, at=START)
    assert (receipt.removed, receipt.late, receipt.held) == (0, 2, None)


def test_a_rejected_entry_is_not_a_missing_one(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete("a", "b", "c")
    receipt = bench.send(("a", {"n": 1}), ("b", {"n": 1}), ("c", {"n": float("1e300"), "x" * 300: 1}), complete=True)
    assert receipt.removed == 0
    assert [(r.index, r.key) for r in receipt.rejected] == [(2, "c")]
    with bench.engine.begin() as connection:
        (letter,) = connection.execute(sa.select(dead_letters)).all()
    assert letter.key == "c"
    assert "field" in letter.error


def test_another_parser_corrects(bench: Bench) -> None:
    bench.send(("a", {"name": "5x10"}), parser="1")
    receipt = bench.send(("a", {"name": "5 × 10"}), parser="2")
    assert (receipt.corrected, receipt.changed) == (1, 0)


def test_states_of_a_source(bench: Bench) -> None:
    configured(bench, every=60.0)
    assert bench.state() == "waiting"
    bench.complete("a")
    assert bench.state() == "fresh"
    assert bench.state(timedelta(minutes=4)) == "stale"
    failed(bench, lasting=False)
    assert bench.state() == "fresh"
    failed(bench, lasting=True)
    assert bench.state() == "failing"
    bench.complete("a")
    assert bench.state() == "fresh"


def test_three_passing_failures_are_failing_and_a_report_told_twice_counts_once(bench: Bench) -> None:
    bench.complete("a")
    for number in range(2):
        failed(bench, lasting=False, run=f"f{number}")
        failed(bench, lasting=False, run=f"f{number}")
    assert bench.state() == "fresh"
    failed(bench, lasting=False, run="f2")
    assert bench.state() == "failing"


def test_a_run_that_never_ended_is_closed_by_the_end_of_a_later_one_until_it_is_heard_of(bench: Bench) -> None:
    def tell(run: str, state: Any) -> None:
        ended = None if state == "running" else START + timedelta(minutes=9)
        report = RunReport(run_id=run, source="vendor_x", state=state, started_at=START, finished_at=ended, seen=3)
        bench.write(lambda c: told.record_run(c, report))

    def states() -> dict[str, tuple[str, bool]]:
        runs = bench.write(lambda c: look.run_list(c, source="vendor_x", after=None, limit=9)).runs
        return {run.id: (run.state, run.finished is not None) for run in runs}

    for run in ("a", "b", "c"):
        tell(run, "running")
    tell("b", "complete")
    assert states() == {"a": ("failed", True), "b": ("complete", True), "c": ("running", False)}
    tell("a", "partial")
    assert states()["a"] == ("partial", True)
    tell("a", "failed")
    assert states()["a"] == ("partial", True)  # it has told how it ended


def keys(prefix: str, count: int = 120) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def seen_at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def configured(bench: Bench, misses: int = 2, every: float | None = None) -> None:
    info = SourceInfo(name="vendor_x", removal=Removal(misses=misses), every=every)
    bench.write(lambda c: told.configure(c, info))


def failed(bench: Bench, *, lasting: bool, run: str = "f") -> None:
    bench.minute += 1
    at = START + timedelta(minutes=bench.minute)
    fault = RunFault(code="selector_failed", message="the table is gone", lasting=lasting)
    report = RunReport(
        run_id=f"{run}-{lasting}", source="vendor_x", state="failed", started_at=at, finished_at=at, fault=fault
    )
    bench.write(lambda c: told.record_run(c, report))


def catch_up(bench: Bench, after: int, topic: str | None = None) -> list[tuple[str, str]]:
    with bench.engine.begin() as connection:
        stretch = read.states(connection, "vendor_x", after, lambda _k, t, _d: topic is None or t == topic)
    return [(c.kind, c.key) for c in stretch.changes]


def test_catching_up_tells_states_from_where_a_room_stood(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete("a", "b", "c", "d")  # 1 to 4
    bench.send(("a", {"n": 2}))  # 5
    bench.send(("a", {"n": 3}))  # 6
    bench.complete("a", "b", "c", "e")  # a is 7, e is 8, d is removed at 9
    assert catch_up(bench, 0) == [("new", "b"), ("new", "c"), ("new", "a"), ("new", "e")]
    assert catch_up(bench, 4) == [("changed", "a"), ("new", "e"), ("removed", "d")]
    head = bench.log()[-1][0]
    assert catch_up(bench, head) == []


def test_what_came_and_went_unseen_is_not_told(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete("a", "b", "c")
    bench.complete("a", "b", "c", "d")
    bench.complete("a", "b", "c")
    assert catch_up(bench, 3) == []
    assert catch_up(bench, 4) == [("removed", "d")]


def test_an_entry_that_leaves_a_topic_is_removed_from_its_room(bench: Bench) -> None:
    bench.send(("a", {"n": 1}), ("b", {"n": 1}), topics={"a": "steel", "b": "steel"})
    bench.send(("a", {"n": 1}), topics={"a": "copper"})
    assert catch_up(bench, 2, "steel") == [("removed", "a")]
    assert catch_up(bench, 2, "copper") == [("new", "a")]
    assert catch_up(bench, 0, "steel") == [("new", "b")]


def test_pages_of_a_catch_up_add_up(bench: Bench) -> None:
    bench.send(*((f"k{n}", {"n": n}) for n in range(10)))
    with bench.engine.begin() as connection:
        first = read.states(connection, "vendor_x", 0, lambda *_: True, limit=4)
        second = read.states(connection, "vendor_x", first.upto, lambda *_: True, limit=100)
    assert (first.after, first.upto, len(first.changes)) == (0, 4, 4)
    assert (second.after, second.upto, len(second.changes)) == (4, 10, 6)


def test_what_happened_is_counted_by_the_minute(bench: Bench) -> None:
    configured(bench, misses=1)
    bench.complete("a", "b", "c")
    bench.send(("a", {"n": 2}), ("d", {"n": 1}))
    bench.complete("a", "b", "d")
    with bench.engine.begin() as connection:
        counted = activity.since(connection, 0)
    assert [(kind, number) for _, _, kind, number in counted] == [
        ("new", 3),
        ("changed", 1),
        ("new", 1),
        ("changed", 1),
        ("removed", 1),
    ]
    assert all(minute % activity.MINUTE == 0 for _, minute, _, _ in counted)
