"""Notes on both databases: each is kept once, whatever became of the answer to its COMMIT, and none for ever; nor are
the counts of minutes."""

from collections.abc import Iterator
from functools import partial

import pytest
import sqlalchemy as sa

from realtime import housekeeping
from realtime.housekeeping import ACTIVITY, NOTES_FOR, Housekeeping
from realtime.store import activity, notes, prune
from realtime.store.change import Change
from realtime.store.notes import KEPT
from realtime.store.store import Store
from tests.faults.proxy import Proxy
from tests.servers import PostgresServer

NOW = 1_800_000_000_000  # milliseconds


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    store = Store(database_url, lambda _: None)
    yield store
    store.close()


def say(store: Store, text: str, room: str = "x", at: int = NOW) -> notes.Note:
    return store.write(partial(notes.add, room=room, username="ann", text=text, at=at, utterance=f"{room} {text}"[:32]))


def texts(store: Store, room: str = "x") -> list[str]:
    return [note.text for note in store.read(partial(notes.recent, room=room, limit=10_000))]


def test_what_is_said_again_by_the_same_utterance_is_the_note_that_is_there(store: Store) -> None:
    first = say(store, "hello")
    assert say(store, "hello", at=NOW + 5) == first
    assert say(store, "bye").id > first.id
    assert texts(store) == ["hello", "bye"]


def test_a_commit_that_is_not_answered_keeps_a_note_once(postgres: PostgresServer) -> None:
    postgres.start()
    with Proxy(postgres.port) as proxy:
        store = Store(postgres.create().replace(f":{postgres.port}/", f":{proxy.port}/"), lambda _: None)
        with proxy.losing_an_answer(b"COMMIT", after=b"hello"):
            told = say(store, "hello")
        assert proxy.done["answer lost"] == 1
        assert (told.text, texts(store)) == ("hello", ["hello"])
        store.close()


def many(store: Store, rooms: int, count: int, at: int) -> None:
    """So many notes in each of so many rooms."""
    said = [(room, number) for room in range(rooms) for number in range(count)]

    def all_of_them(connection: sa.Connection) -> None:
        for room, number in said:
            notes.add(connection, f"room {room}", "ann", f"{number}", at, f"{at} {room} {number}")

    store.write(all_of_them)


def count(store: Store) -> int:
    return store.read(lambda connection: connection.execute(sa.select(sa.func.count(notes.notes.c.id))).scalar_one())


def test_notes_are_bounded_in_a_room_in_age_and_in_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAUSE", 0)
    many(store, 1, KEPT + 3, NOW)
    assert texts(store, "room 0") == [str(number) for number in range(3, KEPT + 3)]
    many(store, 3, 2, NOW + 1000)
    keeper = Housekeeping(store, log_days=None)
    keeper.once(NOW + NOTES_FOR)
    assert count(store) == KEPT + 4
    keeper.once(NOW + NOTES_FOR + 1)
    assert count(store) == 6
    monkeypatch.setattr(housekeeping, "NOTES", 3)
    keeper.once(NOW + NOTES_FOR + 1)
    assert count(store) == 3


def test_counts_of_minutes_are_kept_for_a_week(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "PAUSE", 0)
    monkeypatch.setattr(prune, "PIECE", 2)
    change = Change(
        offset=1, kind="new", key="k", version=1, topic=None, topic_before=None, data="{}", was=None, url=None, at=NOW
    )
    first = NOW - NOW % activity.MINUTE
    for minute in range(5):
        for source in ("x", "y", "z"):
            store.write(partial(activity.count, source=source, changes=[change], at=first + minute * activity.MINUTE))
    Housekeeping(store, log_days=None).once(first + 3 * activity.MINUTE + ACTIVITY)
    kept = store.read(partial(activity.since, at=0))
    assert [(source, (minute - first) // activity.MINUTE) for source, minute, _, _ in sorted(kept)] == [
        (source, minute) for source in "xyz" for minute in (3, 4)
    ]
