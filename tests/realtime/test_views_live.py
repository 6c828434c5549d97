"""Filter, delta, MessagePack and a lost connection, in every combination, on a real server of one process and
of two: all end where the plain room does."""

import itertools
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.conftest import Server
from tests.reader import Reader
from tests.sending import post
from tests.several import many, one_or_several

__all__ = ["many", "one_or_several"]

SOURCE = "vendor_views"
WHERE = 'price < 50 and (name ~ "BEAM" or topic = "steel") and not stock = 0'
KEYS = [f"k{n}" for n in range(700)]  # more than a page, and more than is kept in memory
Truth = dict[str, tuple[str, dict[str, Any]]]


class Way(NamedTuple):
    """One way to follow the source."""

    where: bool
    delta: bool
    packed: bool
    lost: bool

    def __str__(self) -> str:
        return "+".join(name for name, on in self._asdict().items() if on) or "plain"


WAYS = [Way(*each) for each in itertools.product([False, True], repeat=4)]


class Followers:
    """A reader for each combination, and what the source shows at the end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.truth: Truth = {}
        self.readers: dict[Way, tuple[Reader, str]] = {}
        self._chance = random.Random(16)

    def begin(self) -> None:
        for way in WAYS:
            reader = Reader(self.url, serializer="msgpack" if way.packed else "default").__enter__()
            asked = {**({"where": WHERE} if way.where else {}), **({"delta": True} if way.delta else {})}
            answer = reader.join(SOURCE, **asked)
            assert answer["ok"], answer
            self.readers[way] = (reader, answer["room"])

    def change(self, keys: list[str]) -> int:
        """New, changed, moved to another topic, gone for good after two runs; the head of the log then."""
        for key in keys:
            if key in self.truth and self._chance.random() < 0.3:
                del self.truth[key]
            else:
                self.truth[key] = (self._chance.choice(["steel", "copper"]), self._data())
        for _ in range(2):
            receipt = post(self.url, SOURCE, dict(self.truth), complete=True)
        head: int = receipt["offset"]
        return head

    def _data(self) -> dict[str, Any]:
        fields = {
            "name": self._chance.choice(["Beam HEB", "Sheet", "I-beam"]),
            "price": self._chance.choice([20, "49.99", "50.00", 80.5, 12]),
            "stock": self._chance.choice([0, "0", 3, None]),
            "note": "ø",
        }
        return {name: value for name, value in fields.items() if self._chance.random() < 0.9}

    def reach(self, head: int, ways: list[Way]) -> None:
        for way in WAYS:
            reader, room = self.readers[way]
            reader.reach(room, head)

    def shown(self, where: bool) -> dict[str, dict[str, Any]]:
        return {key: data for key, (topic, data) in self.truth.items() if not where or _holds(topic, data)}


def _holds(topic: str, data: dict[str, Any]) -> bool:
    """What WHERE says, said again."""
    price, stock = data.get("price"), data.get("stock")
    cheap = price is not None and float(price) < 50
    return cheap and ("beam" in data.get("name", "").lower() or topic == "steel") and stock not in (0, "0")


@pytest.fixture(scope="module")
def followers(one_or_several: Server) -> Iterator[Followers]:
    followers = Followers(one_or_several.url)
    followers.change(KEYS)
    followers.begin()
    for number in range(4):
        head = followers.change(KEYS[number::150])
    followers.reach(head, WAYS)
    for way in WAYS:
        if way.lost:
            followers.readers[way][0].drop()
    followers.change(KEYS)  # they come back for this by pages of the store
    back = [way for way in WAYS if way.lost]
    for way in back[::2]:
        reader, room = followers.readers[way]
        reader.rejoin(room)
    head = followers.change(KEYS[::60])
    for way in back[1::2]:
        reader, room = followers.readers[way]
        reader.rejoin(room)
    followers.reach(head, WAYS)
    for number in range(4):
        head = followers.change(KEYS[number::100])
    followers.reach(head, WAYS)
    yield followers
    for reader, _ in followers.readers.values():
        reader.drop()


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_combination_ends_where_the_plain_room_does(followers: Followers, way: Way) -> None:
    reader, room = followers.readers[way]
    assert reader.violations == []
    assert reader.resets == []
    assert reader.data(room) == followers.shown(way.where)
    changes = reader.changes[room]
    assert any("delta" in change for change in changes) == way.delta
    assert {change["kind"] for change in changes} == {"new", "changed", "removed"}


def test_equal_filters_are_one_room(followers: Followers) -> None:
    (room,) = {room for way, (_, room) in followers.readers.items() if way.where and not way.delta}
    assert room == f'{SOURCE}?where=(name ~ "beam" or topic = "steel") and not stock = 0 and price < 50'
    with Reader(followers.url) as reader:
        spelled = "not (stock = 0.0) AND price < 50.00 and (topic=\"steel\" or name ~ 'Beam')"
        answer = reader.join(SOURCE, where=spelled)
        assert answer["room"] == room
        reader.reach(room, answer["offset"])
        assert reader.data(room) == followers.shown(where=True)
        assert reader.ask("leave", {"room": SOURCE, "where": spelled})["room"] == room


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"room": SOURCE, "where": "price <"}, "bad_where"),
        ({"room": SOURCE, "where": "a = 1" + " " * 500}, "bad_where"),
        ({"room": SOURCE, "where": 5}, "bad_payload"),
        ({"room": SOURCE, "where": ""}, "bad_where"),
        ({"room": SOURCE, "delta": True}, "bad_payload"),
        ({"room": f"{SOURCE}?delta"}, "bad_payload"),
        ({"room": "*", "where": "a = 1"}, "bad_room"),
        ({"room": f"{SOURCE}?where=a = 1", "where": "b = 2"}, "bad_room"),
    ],
)
def test_what_cannot_be_joined_is_said(module_server: Server, asked: dict[str, Any], code: str) -> None:
    with Reader(module_server.url) as reader:
        answer = reader.ask("join", asked)
        assert answer["error"]["code"] == code, answer
