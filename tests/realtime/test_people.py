"""People in rooms, as the plain client of a Flask-SocketIO tutorial meets them."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import websocket

from realtime.people import LENGTH
from realtime.store.notes import SHOWN
from tests.conftest import Server
from tests.people import Person, meet
from tests.sending import post


@pytest.fixture
def person(module_server: Server) -> Iterator[Any]:
    people: list[Person] = []

    def come() -> Person:
        people.append(Person(module_server.url, transports=["websocket"]))
        return people[-1]

    yield come
    for person in people:
        person.client.disconnect()


def test_the_tutorials_client_works_unchanged(module_server: Server, person: Any) -> None:
    post(module_server.url, "chat_source", {"a": {"price": "3.50"}, "b": {"price": "12"}})
    meet("chat_source", person(), person())


def test_who_is_there_is_counted_and_named(person: Any) -> None:
    alice, bob, watcher = person(), person(), person()
    assert watcher.ask("join", {"room": "count"})["members"] == 0
    assert alice.ask("join", {"room": "count", "username": " alice\x00 "})["people"] == ["alice"]
    assert bob.ask("join", {"room": "count", "username": "bob"})["members"] == 2
    assert [watcher.next("status")["msg"] for _ in range(2)] == [f"{n} has entered the room." for n in ("alice", "bob")]
    bob.client.disconnect()
    left = watcher.next("status")
    assert (left["msg"], left["members"]) == ("bob has left the room.", 1)


def test_many_who_go_at_once_are_told_with_one_word(module_server: Server, person: Any) -> None:
    watcher = person()
    watcher.ask("join", {"room": "party", "username": "host"})
    guests = [guest(module_server, "party", f"guest {number:02}") for number in range(12)]
    while watcher.next("status")["members"] < 13:
        pass
    module_server.pause()
    for each in guests:
        each.shutdown()
    module_server.go_on()
    left = watcher.next("status")
    while "entered" in left["msg"]:
        left = watcher.next("status")
    assert (left["msg"], left["members"]) == ("guest 00 and 11 more have left the room.", 1)


def guest(server: Server, room: str, name: str) -> websocket.WebSocket:
    """Someone in a room, whose line can be cut."""
    client = websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/socket.io/?EIO=4&transport=websocket", timeout=30
    )
    client.recv()
    client.send("40")
    client.send("421" + json.dumps(["join", {"room": room, "username": name}]))
    while not str(client.recv()).startswith("431"):
        pass
    return client


def test_a_second_window_neither_enters_nor_leaves(person: Any) -> None:
    watcher, first, second, other = person(), person(), person(), person()
    watcher.ask("join", {"room": "windows"})
    for window in (first, second):
        assert window.ask("join", {"room": "windows", "username": "alice"})["members"] == 1
    first.client.disconnect()
    other.ask("join", {"room": "windows", "username": "bob"})
    heard = [watcher.next("status")["msg"] for _ in range(2)]
    assert heard == ["alice has entered the room.", "bob has entered the room."]


def test_coming_by_another_name_is_leaving_by_the_first(person: Any) -> None:
    watcher, alice = person(), person()
    watcher.ask("join", {"room": "renamed"})
    alice.ask("join", {"room": "renamed", "username": "alice"})
    assert alice.ask("join", {"room": "renamed", "username": "ally"})["people"] == ["ally"]
    assert alice.ask("join", {"room": "renamed"})["members"] == 0
    heard = [watcher.next("status")["msg"] for _ in range(4)]
    assert heard == [f"{name} has {done} the room." for name in ("alice", "ally") for done in ("entered", "left")]


def test_notes_are_kept_and_told_to_whoever_joins_later(person: Any) -> None:
    alice, bob = person(), person()
    alice.ask("join", {"room": "notes/steel", "username": "alice"})
    for number in range(SHOWN + 3):
        assert alice.ask("message", {"room": "notes/steel", "text": f" note {number}\x07 "})["ok"]
    bob.ask("join", {"room": "notes/steel"})
    told = [bob.next("message") for _ in range(SHOWN)]
    assert [note["text"] for note in told] == [f"note {number}" for number in range(3, SHOWN + 3)]
    assert len({note["id"] for note in told}) == SHOWN
    assert all(note["at"] for note in told)


def test_a_note_without_a_room_goes_to_the_only_one(person: Any) -> None:
    alice = person()
    assert alice.ask("message", "to whom?")["error"]["code"] == "not_in_room"
    alice.ask("join", {"room": "only", "username": "alice"})
    assert alice.ask("message", "here")["room"] == "only"
    alice.ask("join", {"room": "another"})
    assert alice.ask("message", "where?")["error"]["code"] == "not_in_room"


def test_a_note_is_bounded_and_needs_a_room_that_was_joined(person: Any) -> None:
    alice = person()
    alice.ask("join", {"room": "bounds", "username": "alice"})
    for payload, code in (
        ({"room": "bounds", "text": " \x00 "}, "empty_note"),
        ({"room": "bounds", "text": "x" * (LENGTH + 1)}, "long_note"),
        ({"room": "elsewhere", "text": "x"}, "not_in_room"),
        ({"room": "bounds", "text": 5}, "bad_payload"),
        (5, "bad_payload"),
    ):
        assert alice.ask("message", payload)["error"]["code"] == code


def test_filters_of_a_source_meet_in_one_place(module_server: Server, person: Any) -> None:
    post(module_server.url, "filtered", {"a": {"price": "3.50"}})
    alice, bob = person(), person()
    alice.ask("join", {"room": "filtered", "where": "price < 5", "username": "alice"})
    assert bob.ask("join", {"room": "filtered", "username": "bob"})["people"] == ["alice", "bob"]
    bob.ask("message", {"room": "filtered", "text": "cheap"})
    assert alice.next("message")["text"] == "cheap"
