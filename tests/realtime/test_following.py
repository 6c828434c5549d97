"""Following rooms of a real server over real websockets."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Server
from tests.reader import Reader
from tests.sending import post


@pytest.fixture
def reader(server: Server) -> Iterator[Reader]:
    with Reader(server.url) as reader:
        yield reader
        assert reader.violations == []


def test_a_snapshot_and_then_live(server: Server, reader: Reader) -> None:
    post(server.url, "vendor_x", {"a": {"n": 1}, "b": {"n": 1}})
    answer = reader.join("vendor_x")
    assert answer["ok"]
    assert answer["offset"] == 2
    reader.reach("vendor_x", 2)
    post(server.url, "vendor_x", {"a": {"n": 2}, "c": {"n": 1}})
    reader.reach("vendor_x", 4)
    assert reader.data("vendor_x") == {"a": {"n": 2}, "b": {"n": 1}, "c": {"n": 1}}
    live = reader.changes["vendor_x"][-2:]
    assert [(c["kind"], c["key"], c["version"], c["was"], c["newest"]) for c in live] == [
        ("changed", "a", 2, {"n": 1}, "changed"),
        ("new", "c", 1, None, "new"),
    ]


def test_from_now_on(server: Server, reader: Reader) -> None:
    post(server.url, "vendor_x", {"a": {"n": 1}})
    reader.join("vendor_x", since=None)
    post(server.url, "vendor_x", {"b": {"n": 1}})
    reader.reach("vendor_x", 2)
    assert list(reader.data("vendor_x")) == ["b"]


def test_a_room_before_its_first_delivery(server: Server, reader: Reader) -> None:
    assert reader.join("vendor_x")["state"] == "waiting"
    post(server.url, "vendor_x", {"a": {"n": 1}})
    reader.reach("vendor_x", 1)
    assert reader.data("vendor_x") == {"a": {"n": 1}}


def test_a_topic_room_sees_its_entries_come_and_go(server: Server, reader: Reader) -> None:
    reader.join("vendor_x/steel")
    post(server.url, "vendor_x", {"a": ("steel", {"n": 1}), "b": ("copper", {"n": 1})})
    reader.reach("vendor_x/steel", 2)
    assert list(reader.data("vendor_x/steel")) == ["a"]
    post(server.url, "vendor_x", {"a": ("copper", {"n": 1}), "b": ("steel", {"n": 1})})
    reader.reach("vendor_x/steel", 4)
    assert [(c["kind"], c["key"]) for c in reader.changes["vendor_x/steel"]] == [
        ("new", "a"),
        ("removed", "a"),
        ("new", "b"),
    ]


def test_a_lost_connection_catches_up_with_states(server: Server, reader: Reader) -> None:
    post(server.url, "vendor_x", {"a": {"n": 0}, "b": {"n": 0}, "c": {"n": 0}}, complete=True)
    reader.join("vendor_x")
    reader.reach("vendor_x", 3)
    reader.drop()
    for n in range(1, 5):
        post(server.url, "vendor_x", {"a": {"n": n}, "b": {"n": 0}}, complete=True)
    reader.rejoin("vendor_x")
    reader.reach("vendor_x", 8)
    assert reader.data("vendor_x") == {"a": {"n": 4}, "b": {"n": 0}}
    missed = reader.changes["vendor_x"][3:]
    assert {(c["kind"], c["key"]) for c in missed} == {("changed", "a"), ("removed", "c")}


def test_history_tells_every_step(server: Server, reader: Reader) -> None:
    for n in range(4):
        post(server.url, "vendor_x", {"a": {"n": n}})
    reader.join("vendor_x", history=True)
    reader.reach("vendor_x", 4)
    assert [c["data"]["n"] for c in reader.changes["vendor_x"]] == [0, 1, 2, 3]


@pytest.mark.parametrize("cursor", [{"since": 1, "epoch": "another"}, {"since": 99}])
def test_a_cursor_that_means_nothing_here_is_reset(server: Server, reader: Reader, cursor: dict[str, Any]) -> None:
    epoch = post(server.url, "vendor_x", {"a": {"n": 1}, "b": {"n": 1}})["epoch"]
    reader.join("vendor_x", **{"epoch": epoch, **cursor})
    reader.wait(lambda: reader.resets == ["vendor_x"])
    reader.reach("vendor_x", 2)
    assert sorted(reader.data("vendor_x")) == ["a", "b"]


def test_a_snapshot_of_many_pages_while_it_changes(server: Server, reader: Reader) -> None:
    post(server.url, "vendor_x", {f"k{n}": {"n": 0} for n in range(3000)})
    reader.join("vendor_x")
    for step in range(1, 6):
        receipt = post(server.url, "vendor_x", {f"k{n}": {"n": step} for n in range(0, 3000, 300)})
    reader.reach("vendor_x", receipt["offset"])
    expected = {f"k{n}": {"n": 5 if n % 300 == 0 else 0} for n in range(3000)}
    assert reader.data("vendor_x") == expected


def test_watermarks_move_with_complete_runs(server: Server, reader: Reader) -> None:
    reader.join("vendor_x")
    post(server.url, "vendor_x", {"a": {"n": 1}}, complete=True, as_of="2026-11-22T07:00:00Z")
    reader.wait(lambda: reader.watermarks.get("vendor_x", {}).get("as_of") == "2026-11-22T07:00:00.000Z")
    assert reader.watermarks["vendor_x"]["upto"] == 1
    assert reader.watermarks["vendor_x"]["state"] == "fresh"
    post(server.url, "vendor_x", {"a": {"n": 1}}, complete=True, as_of="2026-11-22T08:00:00Z")
    reader.wait(lambda: reader.watermarks["vendor_x"]["as_of"] == "2026-11-22T08:00:00.000Z")


def test_the_room_of_all_sources_hears_of_new_ones(server: Server, reader: Reader) -> None:
    assert reader.join("*", since=None)["sources"] == []
    post(server.url, "vendor_x", {"a": {"n": 1}})
    reader.wait(lambda: "vendor_x" in reader.watermarks)
    with Reader(server.url) as other:
        assert other.join("*", since=None)["sources"] == ["vendor_x"]
        other.wait(lambda: "vendor_x" in other.watermarks)


def test_leaving_ends_it(server: Server, reader: Reader) -> None:
    reader.join("vendor_x")
    assert reader.ask("leave", {"room": "vendor_x"}) == {"ok": True, "room": "vendor_x"}
    reader.join("vendor_y")
    post(server.url, "vendor_x", {"a": {"n": 1}})
    post(server.url, "vendor_y", {"a": {"n": 1}})
    reader.reach("vendor_y", 1)
    assert reader.changes["vendor_x"] == []


MALFORMED = [None, 5, "vendor_x", [], {}, {"room": 5}, {"room": ""}, {"room": "Ä"}, {"room": "a" * 999}, {"room": "x/"}]
MALFORMED += [{"room": "x", "since": since} for since in (-1, 1.5, "1", 2**70, [], True)]
MALFORMED += [{"room": "x", "epoch": 5}, {"room": "x", "history": "yes"}, {"room": {"room": "x"}}, b"\x00\xff"]


def test_malformed_payloads_are_answered_and_survived(server: Server, reader: Reader) -> None:
    for event in ("join", "leave", "message", "no such event"):
        for payload in MALFORMED:
            answer = reader.ask(event, payload)
            assert answer["ok"] is False or event == "leave", (event, payload, answer)
            assert answer.get("error", {"code": "-", "message": "-"}).keys() == {"code", "message"}
    assert reader.join("vendor_x")["ok"]


def test_a_killed_server_loses_nothing_and_readers_go_on(server: Server, reader: Reader) -> None:
    post(server.url, "vendor_x", {"a": {"n": 1}})
    reader.join("vendor_x")
    reader.reach("vendor_x", 1)
    server.kill()
    server.start()
    post(server.url, "vendor_x", {"b": {"n": 1}})
    reader.drop()
    reader.rejoin("vendor_x")
    reader.reach("vendor_x", 2)
    assert reader.resets == []
    assert sorted(reader.data("vendor_x")) == ["a", "b"]


def test_large_entries_come_in_pieces_of_bounded_size(server: Server) -> None:
    """A batch of many megabytes, and catching up with it: no frame holds much more than a piece."""
    wide = "x" * 60_000
    entries = {f"k{n:03}": {"wide": wide, "n": n} for n in range(120)}
    with Reader(server.url) as live, Reader(server.url) as late, Reader(server.url) as history:
        live.join("vendor_x", since=None)
        head = post(server.url, "vendor_x", entries)["offset"]
        live.reach("vendor_x", head)
        late.join("vendor_x")
        late.reach("vendor_x", head)
        history.join("vendor_x", history=True)
        history.reach("vendor_x", head)
        for reader in (live, late, history):
            assert reader.violations == []
            assert reader.data("vendor_x") == entries
            assert max(reader.frames["vendor_x"]) <= 5, "changes of 60 kB in one frame"
