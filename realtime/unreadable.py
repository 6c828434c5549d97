"""Events whose payload cannot be read, a half emoji in a note: the event is known, so that its sender can be answered
instead of cut off."""

from typing import Any

import msgspec

from ingest_api.contract import lenient, packed_pieces, pieces, wire
from ingest_api.contract.errors import NotABatch


class Unreadable(msgspec.Struct, frozen=True):
    """In place of a payload: what is wrong with it."""

    reason: str


def event(body: bytes, media: str = wire.JSON) -> list[Any]:
    """A list that begins with an event's name, each item read or Unreadable. Raises ValueError for anything else."""
    form = packed_pieces if media == wire.MSGPACK else pieces
    name, *payload = form.items(body) or [b""]
    try:
        return [wire.decode(name, str, media), *(_read(piece, media) for piece in payload)]
    except NotABatch as error:
        raise ValueError("no event") from error


def packet(packed: bytes) -> tuple[bytes, list[Any]]:
    """A packet in MessagePack without its data, and its data, which is an event's. Raises ValueError for any other."""
    parts = packed_pieces.members(packed)
    return packed_pieces.joined({**parts, "data": b"\xc0"}), event(parts.get("data", b""), wire.MSGPACK)


def _read(piece: bytes, media: str) -> Any:
    try:
        return wire.decode(piece, object, media)
    except NotABatch as error:
        return Unreadable(lenient.reason(piece, media, error))
