"""The public Socket.IO protocol on our fan-out: what Flask-SocketIO promises its clients holds on every way there is.

Each test runs with Python's and the official client, over websocket, polling and an upgrade; on websockets that run by
themselves, the same over Redis, on the ordinary transport, and on Flask-SocketIO as it comes.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.conftest import ROOT, eventually, free_port
from tests.protocol.visitors import TRANSPORTS, OfficialVisitor, PythonVisitor, Visitor

KINDS = ("stock", "ordinary", "direct", "packed", "direct over redis")
CLIENTS = {"python": PythonVisitor, "official": OfficialVisitor}

Open = Callable[..., Visitor]


@pytest.fixture(scope="module", params=KINDS)
def hall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The kind of a running server, and its address."""
    kind, _, redis = request.param.partition(" over ")
    port = free_port()
    command = [sys.executable, "-m", "tests.protocol.hall", str(port), kind]
    if redis:
        server = request.getfixturevalue("redis_server")
        server.start()
        command.append(server.url)
    log: Path = tmp_path_factory.mktemp("hall") / "log"
    with log.open("wb") as output, subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output) as process:
        try:
            eventually(lambda: _answers(port), what=f"the hall is open, see {log}")
            yield kind, f"http://127.0.0.1:{port}"
        finally:
            process.kill()
    assert "Traceback" not in log.read_text()


@pytest.fixture(params=[f"{client} {transport}" for client in CLIENTS for transport in TRANSPORTS])
def enter(request: pytest.FixtureRequest, hall: tuple[str, str]) -> Iterator[Open]:
    """Opens visitors of one kind; they leave at the test's end."""
    name, _, transport = request.param.partition(" ")
    visitors: list[Visitor] = []

    def opened(space: str = "/", parser: str = "") -> Visitor:
        visitors.append(CLIENTS[name](hall[1], space, transport, parser))
        return visitors[-1]

    if hall[0] == "stock" and request.param == "python polling":
        pytest.skip("python-engineio's client refuses more than 16 packets at a time, which its server sends")
    yield opened
    for visitor in visitors:
        visitor.close()


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


def numbers(visitor: Visitor, room: str | None = None) -> list[int]:
    """What was said, or said to a room, in the order in which it came."""
    said = [arguments[0] for event, arguments in visitor.heard if event == "said"]
    return [each["number"] for each in said if room in (None, each["room"])]


def spoken(parser: str, hall: tuple[str, str]) -> str:
    """The parser of one visitor, where a server speaks more than one."""
    return parser if hall[0] == "packed" else ""


@pytest.mark.parametrize("turns", [False, True], ids=["one turn", "many turns"])
def test_who_is_in_a_room_hears_all_of_it_in_order(enter: Open, hall: tuple[str, str], turns: bool) -> None:
    one, other, outside = enter(), enter(parser=spoken("msgpack", hall)), enter()
    for visitor in (one, other):
        assert visitor.ask("enter", ["a"]) == ["a"]
    assert one.ask("post", {"room": "a", "count": 300, "turns": turns}) == 300
    for visitor in (one, other):
        visitor.wait(lambda visitor=visitor: len(numbers(visitor)) >= 300)
        assert numbers(visitor) == list(range(300))
    assert outside.ask("several", 1) == 1
    assert numbers(outside) == []


def test_an_answer_comes_after_what_was_emitted_before_it(enter: Open) -> None:
    visitor = enter()
    visitor.ask("enter", ["a"])
    visitor.ask("post", {"room": "a", "count": 50})
    assert numbers(visitor) == list(range(50))


def test_rooms_keep_their_order_between_them(enter: Open) -> None:
    both_rooms, one_room = enter(), enter()
    both_rooms.ask("enter", ["a", "b"])
    one_room.ask("enter", ["b"])
    assert both_rooms.ask("weave", {"rooms": ["a", "b"], "count": 100}) == "woven"
    assert numbers(both_rooms) == sorted([*range(100), 50])
    one_room.wait(lambda: len(numbers(one_room)) >= 50)
    assert numbers(one_room) == list(range(1, 100, 2))


def test_whoever_left_hears_no_more(enter: Open) -> None:
    leaver, stayer = enter(), enter()
    for visitor in (leaver, stayer):
        visitor.ask("enter", ["a"])
    leaver.ask("post", {"room": "a", "count": 5})
    assert leaver.ask("leave", "a") == "a"
    leaver.ask("post", {"room": "a", "count": 5})
    stayer.wait(lambda: len(numbers(stayer)) == 10)
    assert numbers(leaver) == list(range(5))


def test_the_sender_can_be_left_out(enter: Open) -> None:
    sender, other = enter(), enter()
    for visitor in (sender, other):
        visitor.ask("enter", ["a"])
    sender.ask("post", {"room": "a", "count": 5, "skip": True})
    other.wait(lambda: len(numbers(other)) == 5)
    assert numbers(sender) == []


def test_everyone_is_everyone_of_the_namespace(enter: Open) -> None:
    here, there = enter(), enter(space="/other")
    there.ask("enter", ["a"])
    here.ask("post", {"room": None, "count": 3})
    assert there.ask("post", {"room": "a", "count": 2}) == 2
    here.wait(lambda: len(numbers(here)) >= 3)
    assert numbers(here) == [0, 1, 2]
    assert numbers(there, "a") == [0, 1]


def test_the_server_can_ask(enter: Open) -> None:
    visitor = enter()
    visitor.tell("ask me", 21)
    visitor.wait(lambda: ("heard", [42]) in visitor.heard)


def test_several_arguments(enter: Open) -> None:
    visitor = enter()
    assert visitor.ask("several", 1, "b", {"c": None}) in ([1, "b", {"c": None}], (1, "b", {"c": None}))
    assert ("several", [1, "b", {"c": None}]) in visitor.heard


def test_wide_messages_come_whole(enter: Open) -> None:
    visitor = enter()
    visitor.ask("enter", ["a"])
    visitor.tell("wide", {"room": "a", "count": 30, "size": 50_000})
    visitor.wait(lambda: len(visitor.heard) >= 30)
    assert [said["number"] for _, (said,) in visitor.heard] == list(range(30))
    assert {said["text"] for _, (said,) in visitor.heard} == {"ä" * 50_000}


def test_bytes(enter: Open, hall: tuple[str, str]) -> None:
    if hall[0] == "packed":
        pytest.skip("what we send holds no bytes, and our packets take none")
    one, other = enter(), enter()
    for visitor in (one, other):
        visitor.ask("enter", ["a"])
    one.tell("bytes", "a")
    for visitor in (one, other):
        visitor.wait(lambda visitor=visitor: visitor.heard)
        assert visitor.heard == [("bytes", [{"some": {"hex": "00ff"}, "more": [{"hex": "01" * 70_000}]}])]
    assert one.ask("count bytes", {"some": b"12345"}) == 5


def test_the_server_can_end_a_connection(enter: Open) -> None:
    ended, other = enter(), enter()
    for visitor in (ended, other):
        visitor.ask("enter", ["a"])
    ended.tell("end me")
    ended.wait(lambda: any(event == "ended" for event, _ in ended.heard))
    assert other.ask("post", {"room": "a", "count": 2}) == 2
    assert numbers(other) == [0, 1]
