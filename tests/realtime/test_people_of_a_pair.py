"""Who is in a room, counted over two server processes, on either database."""

from contextlib import ExitStack, closing

from tests.pair import Pair, pair
from tests.people import Person

__all__ = ["pair"]


def test_people_are_counted_over_both_processes(pair: Pair) -> None:
    with ExitStack() as stack:
        alice, bob, watcher = (
            stack.enter_context(closing(Person(server.url))) for server in (pair.one, pair.other, pair.other)
        )
        assert watcher.ask("join", {"room": "hall"})["members"] == 0
        assert alice.ask("join", {"room": "hall", "username": "alice"})["members"] == 1
        assert bob.ask("join", {"room": "hall", "username": "bob"})["people"] == ["alice", "bob"]
        heard = {watcher.next("status")["msg"] for _ in range(2)}
        assert heard == {"alice has entered the room.", "bob has entered the room."}
        alice.ask("leave", {"room": "hall"})
        left = watcher.next("status")
        assert (left["msg"], left["members"], left["people"]) == ("alice has left the room.", 1, ["bob"])


def test_the_people_of_a_killed_process_vanish(pair: Pair) -> None:
    with ExitStack() as stack:
        alice, bob = (stack.enter_context(closing(Person(server.url))) for server in pair.both)
        alice.ask("join", {"room": "cellar", "username": "alice"})
        assert bob.ask("join", {"room": "cellar", "username": "bob"})["people"] == ["alice", "bob"]
        pair.one.kill()
        try:
            while (status := bob.next("status"))["msg"] != "alice has left the room.":
                pass
            assert (status["members"], status["people"]) == (1, ["bob"])
        finally:
            pair.one.start()
        with closing(Person(pair.one.url)) as carol:
            assert carol.ask("join", {"room": "cellar", "username": "carol"})["people"] == ["bob", "carol"]
