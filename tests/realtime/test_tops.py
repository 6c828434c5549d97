"""Top lists over real sockets and HTTP: orders, topics, filters, what is pushed, and what is refused."""

import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest
import redis
import requests

from realtime.audience import Gone
from realtime.feed import Feed
from realtime.metrics import Metrics
from realtime.rooms import Room
from realtime.store.store import Store
from realtime.tops import Top, Tops
from tests.conftest import Server, eventually
from tests.reader import Reader
from tests.sending import post
from tests.servers import RedisServer
from tests.several import is_several, many, one_or_several

__all__ = ["many", "one_or_several"]

_number = itertools.count(1)


@pytest.fixture
def source() -> str:
    return f"shop_{next(_number)}"


class Watcher(Reader):
    """A reader that keeps the top lists it is told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.tops: list[dict[str, Any]] = []
        self._client.on("top_items", self._top_items)

    def _top_items(self, top: dict[str, Any]) -> None:
        with self._moved:
            self.tops.append(top)
            self._moved.notify_all()

    def newest(self, keys: list[str]) -> None:
        self.wait(
            lambda: self.tops and [item["key"] for item in self.tops[-1]["items"]] == keys, f"{keys}: {self.tops}"
        )


@pytest.fixture
def watcher(module_server: Server) -> Iterator[Watcher]:
    with Watcher(module_server.url) as watcher:
        yield watcher


def top(server: Server, **query: Any) -> list[tuple[str, Any]]:
    answer = requests.get(f"{server.url}/api/top", params=query, timeout=30)
    answer.raise_for_status()
    return [(item["key"], item["value"]) for item in answer.json()["items"]]


def test_the_order_is_that_of_numbers_whatever_their_form(module_server: Server, source: str) -> None:
    prices = {"a": "9.5", "b": 10, "c": "100.25", "d": -3, "e": 9.75, "f": "1,5", "g": True, "h": "free", "i": "0000.5"}
    post(module_server.url, source, {key: {"price": price} for key, price in prices.items()})
    highest = [("c", "100.25"), ("b", 10), ("e", 9.75), ("a", "9.5"), ("i", "0000.5"), ("d", -3)]
    assert top(module_server, source=source, by="price") == highest
    assert top(module_server, source=source, by="price", order="asc", limit=2) == highest[:-3:-1]


def test_the_list_equals_the_oracle_through_batches_topics_and_removals(one_or_several: Server, source: str) -> None:
    chance = random.Random(source)
    shown: dict[str, tuple[str, dict[str, Any]]] = {}
    for step in range(12):
        for _ in range(40):
            key = f"k{chance.randrange(120)}"
            price: Any = chance.choice([chance.randrange(1000), f"{chance.random() * 1000:.2f}", "on request"])
            shown[key] = (chance.choice("xyz"), {"price": price, "stock": step})
        for key in chance.sample(sorted(shown), 8):
            del shown[key]
        post(one_or_several.url, source, shown, complete=True)
        if step == 0:
            info = {"name": source, "removal": {"misses": 1, "hold_above": 1}}
            requests.put(f"{one_or_several.url}/api/sources/{source}", json=info, timeout=30).raise_for_status()
        for topic in (None, "y"):
            numbers = [
                (float(data["price"]), key)
                for key, (its, data) in shown.items()
                if data["price"] != "on request" and topic in (None, its)
            ]
            expected = [key for _, key in sorted(numbers, reverse=True)[:20]]
            asked = {"source": source, "by": "price", "limit": 20, **({"topic": topic} if topic else {})}
            if step:  # the first batch was taken before anybody said how its source counts what is gone
                listed(one_or_several, asked, expected)


def listed(server: Server, asked: dict[str, Any], expected: list[str]) -> None:
    """At once, or, where another process may answer than the one that took the batch, when that has heard of it."""
    if is_several(server):
        eventually(lambda: [key for key, _ in top(server, **asked)] == expected, what=f"{asked} is {expected}")
    assert [key for key, _ in top(server, **asked)] == expected


def test_who_asked_is_told_again_when_it_changes_until_it_leaves(one_or_several: Server, source: str) -> None:
    with ExitStack() as stack:
        for number in range(4 if is_several(one_or_several) else 1):  # whichever process has them
            watcher = stack.enter_context(Watcher(one_or_several.url))
            follow_a_list(one_or_several, watcher, f"{source}_{number}")


def follow_a_list(server: Server, watcher: Watcher, source: str) -> None:
    post(server.url, source, {key: {"price": price} for key, price in {"a": 1, "b": 2, "c": 3}.items()})
    asked = watcher.ask("request_top", {"room": source, "by": "price", "limit": 2})
    assert asked == {"ok": True, "room": source, "by": "price", "order": "desc", "limit": 2}
    watcher.newest(["c", "b"])
    told = watcher.tops[-1]
    assert {"room", "by", "order", "items", "as_of", "offset", "epoch"} <= told.keys()
    assert told["items"][0]["data"] == {"price": 3}
    post(server.url, source, {"a": {"price": "7.5"}})
    watcher.newest(["a", "c"])
    watcher.ask("request_top", {"room": source, "by": "price", "order": "asc"})
    watcher.newest(["b", "c", "a"])
    watcher.ask("leave", {"room": source})
    watcher.tops.clear()
    receipt = post(server.url, source, {"b": {"price": 50}})
    watcher.join(source)
    watcher.reach(source, receipt["offset"])
    watcher.ask("request_top", {"room": source, "by": "price", "limit": 1})
    watcher.newest(["b"])
    assert len(watcher.tops) == 1


def test_once_is_once(module_server: Server, watcher: Watcher, source: str) -> None:
    post(module_server.url, source, {"a": {"n": 1}})
    watcher.ask("request_top", {"room": source, "by": "n", "once": True})
    watcher.newest(["a"])
    post(module_server.url, source, {"b": {"n": 2}})
    watcher.ask("request_top", {"room": source, "by": "n", "order": "asc"})
    watcher.newest(["a", "b"])
    assert len(watcher.tops) == 2


def test_many_changes_are_told_at_most_twice_a_second(module_server: Server, watcher: Watcher, source: str) -> None:
    post(module_server.url, source, {"a": {"n": 0}})
    watcher.ask("request_top", {"room": source, "by": "n"})
    for n in range(1, 41):
        post(module_server.url, source, {"a": {"n": n}})
    watcher.wait(lambda: watcher.tops[-1]["items"][0]["value"] == 40)
    assert len(watcher.tops) < 20


def test_what_is_left_out_is_chosen(module_server: Server, watcher: Watcher, source: str) -> None:
    post(module_server.url, source, {"a": {"name": "A", "stock": 3, "price": "1.50"}})
    watcher.join(source)
    assert watcher.ask("request_top", {})["by"] == "stock"
    info = {"name": source, "lead": "price"}
    requests.put(f"{module_server.url}/api/sources/{source}", json=info, timeout=30).raise_for_status()
    assert watcher.ask("request_top")["by"] == "price"
    watcher.ask("leave", {"room": source})
    post(module_server.url, f"{source}_more", {"a": {"n": 1}})
    refused = watcher.ask("request_top", {"limit": 5})
    assert refused["error"]["code"] == "which_room"
    assert source in refused["error"]["message"]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"by": "name"}, "no_numbers"),
        ({"by": "nothing"}, "no_numbers"),
        ({"by": "price", "limit": 0}, "bad_payload"),
        ({"by": "price", "limit": 201}, "bad_payload"),
        ({"by": "price", "order": "sideways"}, "bad_payload"),
        ({"room": "*"}, "which_room"),
        ({"room": "No Such"}, "bad_room"),
    ],
)
def test_a_wrong_request_is_told_why(
    module_server: Server, watcher: Watcher, source: str, payload: dict[str, Any], code: str
) -> None:
    post(module_server.url, source, {"a": {"name": "A", "price": 1}})
    assert watcher.ask("request_top", {"room": source, **payload})["error"]["code"] == code


def test_a_room_with_a_filter_has_a_top_list_of_its_own(module_server: Server, watcher: Watcher, source: str) -> None:
    post(module_server.url, source, {f"k{n}": {"price": n, "even": n % 2 == 0} for n in range(100)})
    room = watcher.join(source, where="even = false and price < 90")["room"]
    watcher.ask("request_top", {"room": room, "by": "price", "limit": 3})
    watcher.newest(["k89", "k87", "k85"])


def test_a_filter_that_holds_for_few_finds_them_all(module_server: Server, watcher: Watcher, source: str) -> None:
    post(module_server.url, source, {f"k{n:04}": ("mid", {"price": n, "grade": n % 700}) for n in range(1500)})
    room = watcher.join(f"{source}/mid", where="price < 50")["room"]
    asked = watcher.ask("request_top", {"room": room, "by": "price", "limit": 10})
    assert asked["ok"]
    watcher.newest([f"k{n:04}" for n in range(49, 39, -1)])
    room = watcher.join(source, where="grade = 3")["room"]
    watcher.ask("request_top", {"room": room, "by": "price", "order": "asc", "limit": 1})
    watcher.newest(["k0003"])
    assert watcher.tops[-1]["partial"] is False
    watcher.ask("request_top", {"room": room, "by": "price", "order": "desc", "limit": 10})
    watcher.newest(["k1403", "k0703", "k0003"])


def test_lists_of_topics_and_fields_with_any_sign_in_them_are_kept_apart(module_server: Server, source: str) -> None:
    one, other = ("t|u", {"v": 1, "u|v": 10}), ("t", {"v": 2, "u|v": 20})
    post(module_server.url, source, {"one": one, "other": other})
    for topic, by, key in (("t|u", "v", "one"), ("t", "u|v", "other"), ("t", "v", "other"), ("t|u", "u|v", "one")):
        assert [name for name, _ in top(module_server, source=source, topic=topic, by=by)] == [key]


def test_a_field_of_many_entries_is_read_in_while_batches_come(module_server: Server, source: str) -> None:
    shown = {f"k{n:05}": {"price": n} for n in range(9000)}
    for start in range(0, 9000, 3000):
        post(module_server.url, source, dict(list(shown.items())[start : start + 3000]))
    assert top(module_server, source=source, by="price", limit=1) == [("k08999", 8999)]
    post(module_server.url, source, {"k00000": {"price": 10_000}, "k08999": {"price": "sold"}})
    assert top(module_server, source=source, by="price", limit=2) == [("k00000", 10_000), ("k08998", 8998)]


def test_a_source_keeps_sixteen_fields_in_order_and_any_other_can_be_asked_for(
    module_server: Server, watcher: Watcher, source: str
) -> None:
    post(module_server.url, source, {"a": {f"n{n}": n for n in range(40)}})
    watcher.join(source)
    watcher.ask("request_top", {"room": source, "by": "n0"})
    watcher.newest(["a"])
    for _ in range(2):
        for n in range(40):
            assert top(module_server, source=source, by=f"n{n}") == [("a", n)]
    post(module_server.url, source, {"b": {f"n{n}": n + 1 for n in range(40)}})
    watcher.newest(["b", "a"])
    for n in (3, 39):
        assert top(module_server, source=source, by=f"n{n}") == [("b", n + 1), ("a", n)]


def test_numbers_of_older_entries_alone_are_found(module_server: Server, source: str) -> None:
    post(module_server.url, source, {f"old{n}": {'we"ight_%ü': n, "name": "1"} for n in range(3)})
    post(module_server.url, source, {f"k{n}": {"name": "x"} for n in range(300)})
    info = {"name": source, "lead": 'we"ight_%ü'}
    assert top(module_server, source=source, by='we"ight_%ü', limit=1) == [("old2", 2)]
    requests.put(f"{module_server.url}/api/sources/{source}", json=info, timeout=30).raise_for_status()
    assert top(module_server, source=source, limit=1) == [("old2", 2)]


def test_a_killed_server_keeps_the_order(server: Server) -> None:
    post(server.url, "shop", {"a": {"n": 1}, "b": {"n": 2}})
    assert top(server, source="shop", by="n") == [("b", 2), ("a", 1)]
    server.kill()
    server.start()
    post(server.url, "shop", {"a": {"n": 3}})
    assert eventually(lambda: top(server, source="shop", by="n")) == [("a", 3), ("b", 2)]


def test_processes_share_answers_over_redis_and_need_it_not(server: Server, redis_server: RedisServer) -> None:
    server.stop()
    redis_server.flush()  # of the answers of other tests
    server.environment = {"PORTALWIRE_REDIS_URL": redis_server.url}
    server.start()
    post(server.url, "shop", {"a": {"n": 1}, "b": {"n": 2}})
    assert top(server, source="shop", by="n") == [("b", 2), ("a", 1)]
    with redis.Redis.from_url(redis_server.url) as client:
        (name,) = client.keys("portalwire:top:*")
        kept = msgspec.msgpack.decode(client.get(name))
        for item, word in zip(kept["items"], ("from", "redis"), strict=True):
            item["key"] = word  # what only Redis says tells where the answer came from
        client.set(name, msgspec.msgpack.encode(kept))
    other = Server(server.folder, server.environment, "other")
    other.database = server.database
    other.start()
    assert [key for key, _ in top(other, source="shop", by="n")] == ["from", "redis"]
    with redis.Redis.from_url(redis_server.url) as client:
        client.set(name, b"\x81garbage")  # what cannot be read is not there
    other.stop()
    other.start()
    assert [key for key, _ in top(other, source="shop", by="n")] == ["b", "a"]
    other.stop()
    redis_server.kill()
    post(server.url, "shop", {"a": {"n": 3}})
    found = top(server, source="shop", by="n")
    redis_server.start()
    assert found == [("a", 3), ("b", 2)]


class Line:
    """What tops need of a fanout: whether a client is there."""

    there = True

    def connected(self, _sid: str) -> bool:
        return self.there

    def tell(self, *_: Any) -> None:
        assert self.there


def test_a_client_that_goes_while_its_list_is_read_is_not_followed(module_server: Server, tmp_path: Path) -> None:
    post(module_server.url, "quick", {"a": {"price": 1}})
    line: Any = Line()
    leaving: list[Tops] = []

    def asked() -> None:
        for tops in leaving:
            line.there = False
            tops.drop("hasty")

    store = Store(f"sqlite:///{module_server.database}", lambda _: None, asked=asked)
    tops, top = Tops(store, Feed(store, line, line, Metrics()), line, []), Top(Room.parse("quick"), "price", "desc", 10)
    tops.follow("stays", top)
    leaving.append(tops)
    with pytest.raises(Gone):
        tops.follow("hasty", top)
    assert list(tops._followed) == ["stays"]
    store.close()
