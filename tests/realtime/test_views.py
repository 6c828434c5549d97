"""Rooms as views, beside an oracle: whatever happens to a source and to a client's connection, what the client has is
the filter applied to the source, and every kind is told from where the client stands."""

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ingest_api.contract import Batch, Entry
from ingest_api.contract.wire import decode_submission
from realtime.follower import Follower
from realtime.rooms import BadRoom, Room, folded
from realtime.store import read
from realtime.store.change import Stretch
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.schema import sources
from realtime.where import BadWhere

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
KEYS = [f"k{n}" for n in range(9)]
FILTERS = [
    "n < 5",
    "not n < 5",
    'n >= 3 and (tag ~ "a" or topic = "steel")',
    'key in ("k1", "k2", "k3") or tag exists',
    'not (topic = "steel") and in.ner != 1'.replace("in.", "`in`."),
    "tag = 'a' or n in (0, '1', 7)",
]
ROOMS = ["", "/steel", "?delta"] + [f"{base}where={where}" for base in ("?", "/steel?", "?delta&") for where in FILTERS]

CASES = [(database, seed) for database, seeds in {"sqlite": 15, "postgresql": 5}.items() for seed in range(seeds)]


class Portal:
    """A source that changes by chance, in a real database; `truth` is what it shows now."""

    def __init__(self, connection: sa.Connection, name: str, chance: random.Random) -> None:
        self.connection = connection
        self.name = name
        self.chance = chance
        self.truth: dict[str, tuple[str | None, dict[str, Any]]] = {}
        self.follower = Follower(name, 0)
        self._numbers = itertools.count(1)

    def step(self) -> Stretch:
        """A batch: entries come, change, move between topics, go, are parsed better."""
        for key in self.chance.sample(KEYS, self.chance.randint(1, 4)):
            if key in self.truth and self.chance.random() < 0.35:
                del self.truth[key]
            else:
                self.truth[key] = (self.chance.choice([None, "steel", "copper"]), self._data())
        number = next(self._numbers)
        now = START + timedelta(minutes=number)
        entries = [Entry(key=key, topic=topic, data=data, observed_at=now) for key, (topic, data) in self.truth.items()]
        batch = Batch(
            source=self.name,
            run_id=str(number),
            batch_id=str(number),
            entries=entries,
            complete=True,
            parser=str(number // 4),
        )
        submission = decode_submission(msgspec.json.encode(batch), received_at=now)
        with self.connection.begin():
            told = sa.update(sources).where(sources.c.name == self.name).values(misses=1, hold_above=1.0)
            self.connection.execute(told)
            stretch = commit_batch(self.connection, submission, "epoch").stretch
        assert stretch is not None
        taken = self.follower.take(stretch)
        assert taken is not None
        return taken

    def _data(self) -> dict[str, Any]:
        fields = {
            "n": self.chance.choice([0, 1, 2, "3", "4.0", 5, 6.5, 7]),
            "tag": self.chance.choice(["a", "B", "xA", None]),
            "in": {"ner": self.chance.randint(0, 1)},
            "more": self.chance.randint(0, 3),
        }
        return {name: value for name, value in fields.items() if self.chance.random() < 0.8}

    def shown(self, room: Room) -> dict[str, dict[str, Any]]:
        """The oracle: the room's filter applied to the source."""
        return {
            key: data
            for key, (topic, data) in self.truth.items()
            if room.matches(key, topic, msgspec.json.encode(data).decode())
        }


class Client:
    """Follows one room by the rule."""

    def __init__(self, portal: Portal, room: Room) -> None:
        self.portal = portal
        self.room = room
        self.cursor = 0
        self.exact = True  # it stands where the log says it does: no part of a snapshot or catching up is missing
        self.has: dict[str, tuple[int, dict[str, Any]]] = {}

    def take(self, frame: dict[str, Any]) -> None:
        frame = msgspec.json.decode(msgspec.json.encode(frame))  # as it comes out of the socket
        assert frame["after"] <= self.cursor
        assert [c["offset"] for c in frame["changes"]] == sorted({c["offset"] for c in frame["changes"]})
        for change in frame["changes"]:
            if change["offset"] > self.cursor:
                self._apply(change)
        self.cursor = max(self.cursor, frame["upto"])

    def _apply(self, change: dict[str, Any]) -> None:
        key, kind = change["key"], change["kind"]
        if self.exact:
            assert (key in self.has) == (kind != "new"), change
        if kind == "removed":
            self.has.pop(key, None)
        elif "delta" in change:
            version, data = self.has[key]
            assert version == change["version"] - 1
            assert (change["delta"] or change["gone"]) or kind == "changed"
            data = {name: value for name, value in data.items() if name not in change["gone"]}
            self.has[key] = (change["version"], {**data, **change["delta"]})
        else:
            self.has[key] = (change["version"], change["data"])

    def live(self, taken: Stretch) -> None:
        self.take(self.room.live_frame("epoch", taken))

    def catch_up(self, limit: int, between: Any) -> None:
        """Pages from the store, and between them more happens; sometimes it breaks off in the middle."""
        while self.cursor < self.portal.follower.cursor:
            with self.portal.connection.begin():
                page = read.states(self.portal.connection, self.portal.name, self.cursor, self.room.matches, limit)
            whole = page.upto == self.portal.follower.cursor
            self.take(self.room.frame("epoch", page))
            self.exact = whole
            if not whole and between():
                return

    def from_memory(self) -> bool:
        recent = self.portal.follower.since(self.cursor)
        if recent is None:
            return False
        recent = msgspec.structs.replace(recent, changes=folded(recent.changes))
        self.take(self.room.frame("epoch", recent))
        self.exact = True
        return True

    def history(self) -> None:
        while self.cursor < self.portal.follower.cursor:
            with self.portal.connection.begin():
                page = read.log(self.portal.connection, self.portal.name, self.cursor, 3)
            self.take(self.room.frame("epoch", page))

    def data(self) -> dict[str, dict[str, Any]]:
        return {key: data for key, (_, data) in self.has.items()}


@pytest.fixture(scope="module")
def connection(module_database_url: str) -> Iterator[sa.Connection]:
    engine = open_engine(module_database_url, writes=True)
    migrate(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize(("module_database_url", "seed"), CASES, indirect=["module_database_url"])
def test_whatever_happens_a_room_is_its_filter_applied_to_its_source(connection: sa.Connection, seed: int) -> None:
    chance = random.Random(seed)
    portal = Portal(connection, f"s{seed}", chance)
    clients = [Client(portal, Room.parse(portal.name + room)) for room in chance.sample(ROOMS, 6)]
    away: dict[int, int] = {}  # client -> steps for which it is still away
    for _ in range(15):
        taken = portal.step()
        for number, client in enumerate(clients):
            if away.get(number):
                away[number] -= 1
            elif client.cursor == taken.after and client.exact:
                client.live(taken)
                if client.cursor == portal.follower.cursor:  # nothing more happened while others caught up
                    assert client.data() == portal.shown(client.room), client.room.name
                if chance.random() < 0.2:
                    away[number] = chance.randint(1, 6)
            else:
                _return(client, chance)
    for client in clients:
        client.catch_up(2, lambda: False)
        assert client.data() == portal.shown(client.room), client.room.name


def _return(client: Client, chance: random.Random) -> None:
    """From memory, by the whole log, or by pages, while the source moves on."""
    way = chance.random()
    if client.exact and way < 0.4 and client.from_memory():
        return
    if client.exact and way < 0.6:
        client.history()
        return

    def between() -> bool:
        if chance.random() < 0.5:
            client.portal.step()
        return chance.random() < 0.3

    client.catch_up(chance.randint(1, 4), between)


@pytest.mark.parametrize("seed", range(2))
def test_a_catch_up_tells_the_same_from_memory_and_from_the_store(connection: sa.Connection, seed: int) -> None:
    portal = Portal(connection, f"m{seed}", random.Random(seed))
    for _ in range(7):
        portal.step()
    for name, cursor in itertools.product(ROOMS, range(portal.follower.cursor)):
        room = Room.parse(portal.name + name)
        recent = portal.follower.since(cursor)
        assert recent is not None
        with connection.begin():
            stored = read.states(connection, portal.name, cursor, room.matches)
        memory = room.frame("epoch", msgspec.structs.replace(recent, changes=folded(recent.changes)))
        assert msgspec.json.encode(memory) == msgspec.json.encode(room.frame("epoch", stored)), (name, cursor)


def test_equal_filters_have_one_room() -> None:
    asked = [
        Room.parse("vendor_x/steel", "price < 500 and stock = 1"),
        Room.parse("vendor_x/steel", "stock=1.0  AND price<500.00"),
        Room.parse("vendor_x/steel?where=price < 500 and stock = 1"),
    ]
    assert {room.name for room in asked} == {"vendor_x/steel?where=price < 500 and stock = 1"}
    assert asked[0] == asked[1] == asked[2]
    assert asked[0].base == "vendor_x/steel"


@pytest.mark.parametrize("base", ["x", "x/steel", "x/what?", "x/a?b&delta", "x/50% off", "x/a/b"])
@pytest.mark.parametrize("where", [None, 'topic = "?where=" and key ~ "?delta"'])
@pytest.mark.parametrize("delta", [False, True])
def test_a_rooms_name_says_it_all(base: str, where: str | None, delta: bool) -> None:
    room = Room.parse(base, where, delta)
    assert room.base == base
    assert Room.parse(room.name) == room
    assert Room.parse(room.base) == Room.parse(base)


@pytest.mark.parametrize("name", ["", "/", "x/", "X", "?where=a = 1", "x/?delta", "x/" + "t" * 101])
def test_what_is_no_room(name: str) -> None:
    with pytest.raises(BadRoom):
        Room.parse(name)


def test_what_a_room_is_not_narrowed_by() -> None:
    for asked in (partial(Room.parse, "x", "a ="), partial(Room.parse, "x?where=a ="), partial(Room.parse, "x?where=")):
        with pytest.raises((BadWhere, BadRoom)):
            asked()
    for asked in (partial(Room.parse, "*", "a = 1"), partial(Room.parse, "*", None, True)):
        with pytest.raises(BadRoom):
            asked()
    with pytest.raises(BadRoom, match="already"):
        Room.parse("x?where=a = 1", "b = 1")
