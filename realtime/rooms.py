"""A room: what of a source someone follows, and how a change looks from there."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ingest_api.contract.entry import MAX_TOPIC
from ingest_api.contract.errors import ContractError
from realtime.store.change import Change, Kind, Stretch
from realtime.store.moments import iso

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class BadRoom(ContractError):
    """There is no such room: a room is a source's name, or a source's name, a slash and a topic."""

    code = "bad_room"


class Room(msgspec.Struct, frozen=True):
    """A source's room, or that of one of its topics. A room is a view of its source's log."""

    name: str
    source: str
    topic: str | None = None

    @classmethod
    def parse(cls, name: str) -> "Room":
        """`vendor_x` or `vendor_x/steel`; raises BadRoom."""
        if name == EVERY_SOURCE.name:
            return EVERY_SOURCE
        source, slash, topic = name.partition("/")
        if not _SOURCE.fullmatch(source) or (slash and not 0 < len(topic) <= MAX_TOPIC):
            raise BadRoom
        return cls(name, source, topic or None)

    def matches(self, topic: str | None, _data: str) -> bool:
        """Whether an entry with this topic and data (JSON text) is in the room."""
        return self.topic is None or topic == self.topic

    def kind(self, change: Change) -> Kind | None:
        """What a change is to this room: an entry that comes into its view is new, one that leaves it is removed,
        and None is what the room never had and does not get."""
        if self.topic is None:
            return change.kind
        had = change.kind != "new" and change.topic_before == self.topic
        has = change.kind != "removed" and change.topic == self.topic
        if had:
            return change.kind if has else "removed"
        return "new" if has else None

    def frame(self, epoch: str, stretch: Stretch) -> dict[str, Any]:
        """An `entries` message: what of a stretch of the log is in this room, and the range it covers."""
        return {
            "room": self.name,
            "epoch": epoch,
            "after": stretch.after,
            "upto": stretch.upto,
            "changes": [_wire(change, kind) for change in stretch.changes if (kind := self.kind(change))],
        }


EVERY_SOURCE = Room("*", "*")
"""The room that hears the watermark of every source, and no entries."""


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
    return msgspec.structs.replace(last, kind=kind, topic_before=first.topic_before, newest=last.kind)
