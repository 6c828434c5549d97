"""A room: what of a source someone follows, and how a change looks from there."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ingest_api.contract.entry import MAX_TOPIC, plain
from ingest_api.contract.errors import ContractError
from ingest_api.contract.source import CANDLES
from realtime.store.change import Change, Kind, Stretch
from realtime.store.moments import iso
from realtime.where import CANONICAL, Filter, Subject, fields_of, parse

_OPTIONS = re.compile(r"\?(?:(?P<delta>delta)(?:&where=(?P<where_too>.*))?$|where=(?P<where>.*)$)", re.DOTALL)
_CANDLES = re.compile(r"candles/[1-9][0-9]{0,3}[smhd]")
_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class BadRoom(ContractError):
    """There is no such room: a room is a source's name, or a source's name, a slash and a topic."""

    code = "bad_room"


class Room(msgspec.Struct, frozen=True):
    """A view of a source's log: all of it, one topic, and of that what a filter holds for. `name` says it all:
    `vendor_x`, `vendor_x/steel`, `vendor_x/steel?where=price < 500`, `vendor_x?delta&where=…`.

    `delta` sends what a change altered instead of the whole entry.
    """

    name: str
    source: str
    topic: str | None = None
    where: Filter | None = None
    delta: bool = False

    @classmethod
    def parse(cls, name: str, where: str | None = None, delta: bool = False) -> "Room":
        """The room of this name, narrowed by a filter's text. Filters that say the same have one room.

        Raises BadRoom, or BadWhere.
        """
        if name == EVERY_SOURCE.name:
            if where is not None or delta:
                raise BadRoom("the room * has no entries: it takes neither where nor delta")
            return EVERY_SOURCE
        base, says_delta, more = _split(name)
        if where is not None and more is not None:
            raise BadRoom(
                "the room's name has a filter already: give where, or the name that the answer to a join gave"
            )
        source, slash, topic = base.partition("/")
        if _CANDLES.fullmatch(topic):
            source, topic = source + CANDLES, topic.removeprefix("candles/")
        if not _SOURCE.fullmatch(source) or (slash and not 0 < len(topic) <= MAX_TOPIC) or plain(topic) != topic:
            raise BadRoom
        tree = _tree(where, more)
        delta = delta or says_delta
        return cls(_name(base, tree, delta), source, topic or None, tree, delta)

    @property
    def base(self) -> str:
        """`SOURCE` or `SOURCE/TOPIC`: what is looked at to decide who may enter."""
        if self.topic is not None and self.source.endswith(CANDLES):
            return f"{self.source.removesuffix(CANDLES)}/candles/{self.topic}"
        return self.source if self.topic is None else f"{self.source}/{self.topic}"

    def matches(self, key: str, topic: str | None, data: str) -> bool:
        """Whether an entry with this key, topic and data (JSON text) is in the room."""
        if self.topic is not None and topic != self.topic:
            return False
        return self.where is None or self.where.holds(Subject(key, topic, fields_of(data)))

    def kind(self, change: Change) -> Kind | None:
        """What a change is to this room: an entry that comes into its view is new, one that leaves it is removed,
        and None is what the room never had and does not get."""
        if self.topic is None and self.where is None:
            return change.kind
        had = change.kind != "new" and self._fits(change.topic_before) and self._holds_before(change)
        has = change.kind != "removed" and self._fits(change.topic) and self._holds_after(change)
        if had:
            return change.kind if has else "removed"
        return "new" if has else None

    def _fits(self, topic: str | None) -> bool:
        return self.topic is None or topic == self.topic

    def _holds_before(self, change: Change) -> bool:
        return self.where is None or self.where.holds(change.before)

    def _holds_after(self, change: Change) -> bool:
        return self.where is None or self.where.holds(change.after)

    def frame(self, epoch: str, stretch: Stretch) -> dict[str, Any]:
        """An `entries` message: what of a stretch of the log is in this room, and the range it covers."""
        return self._frame(epoch, stretch, _wire)

    def live_frame(self, epoch: str, stretch: Stretch) -> dict[str, Any]:
        """The same for those who stand where the stretch begins, so that what they have can be built on."""
        return self._frame(epoch, stretch, _wire_delta if self.delta else _wire)

    def _frame(self, epoch: str, stretch: Stretch, wire: Callable[[Change, Kind], dict[str, Any]]) -> dict[str, Any]:
        return {
            "room": self.name,
            "epoch": epoch,
            "after": stretch.after,
            "upto": stretch.upto,
            "changes": [wire(change, kind) for change in stretch.changes if (kind := self.kind(change))],
        }


EVERY_SOURCE = Room("*", "*")
"""The room that hears the watermark of every source, and no entries."""


def _split(name: str) -> tuple[str, bool, str | None]:
    """A room's name as its base, whether it says delta, and its filter's text."""
    match = _OPTIONS.search(name)
    if match is None:
        return name, False, None
    return name[: match.start()], bool(match["delta"]), match["where_too"] if match["where"] is None else match["where"]


def _tree(asked: str | None, named: str | None) -> Filter | None:
    if named is not None:
        return parse(named, CANONICAL)
    return None if asked is None else parse(asked)


def _name(base: str, where: Filter | None, delta: bool) -> str:
    options = [*(["delta"] if delta else []), *([f"where={where.text}"] if where else [])]
    return f"{base}?{'&'.join(options)}" if options else base


def _wire(change: Change, kind: Kind) -> dict[str, Any]:
    return {
        "offset": change.offset,
        "kind": kind,
        "key": change.key,
        "version": change.version,
        "data": msgspec.Raw(change.data.encode()),
        "topic": change.topic,
        "url": change.url,
        "at": iso(change.at),
        "was": None if change.was is None else msgspec.Raw(change.was.encode()),
        "newest": change.newest or change.kind,
    }


def _wire_delta(change: Change, kind: Kind) -> dict[str, Any]:
    wire = _wire(change, kind)
    if kind in ("changed", "corrected") and change.delta is not None:
        del wire["data"]
        wire["delta"], wire["gone"] = change.delta
    return wire


def folded(changes: Sequence[Change]) -> list[Change]:
    """The same steps with one change an entry: its newest version, its kind told from before the first."""
    first: dict[str, Change] = {}
    last: dict[str, Change] = {}
    for change in changes:
        first.setdefault(change.key, change)
        last.pop(change.key, None)
        last[change.key] = change
    return [_fold(first[key], change) for key, change in last.items() if _tells(first[key], change)]


def _tells(first: Change, last: Change) -> bool:
    return not (first.kind == "new" and last.kind == "removed")


def _fold(first: Change, last: Change) -> Change:
    if first is last:
        return last
    if last.kind == "removed":
        kind: Kind = "removed"
    else:
        kind = "new" if first.kind == "new" else "changed"
    return msgspec.structs.replace(
        last,
        kind=kind,
        topic_before=first.topic_before,
        newest=last.kind,
        data_before=None if kind == "new" else first.data_until,
    )
