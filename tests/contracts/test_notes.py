"""Notes on both databases: each is kept once, whatever became of the answer to its COMMIT."""

from collections.abc import Iterator
from functools import partial

import pytest

from realtime.store import notes
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
