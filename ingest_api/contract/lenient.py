"""A list of which one item cannot be read: the others are, and of that one is said what is wrong with it."""

import json
from types import ModuleType
from typing import Any

import msgspec

from ingest_api.contract import packed_pieces, pieces
from ingest_api.contract.batch import MAX_ENTRIES
from ingest_api.contract.entry import MAX_DEPTH
from ingest_api.contract.errors import TooLarge
from ingest_api.contract.pieces import Uncut

MSGPACK = "application/msgpack"
_LONE = "data holds half a surrogate: send each letter whole"


def cut(body: bytes, field: str, media: str) -> tuple[bytes, list[msgspec.Raw]] | None:
    """An object without the items of its list `field`, and these items unread; None when it does not look like one.
    TooLarge as soon as there are more than a batch may have: there could be millions."""
    form = _form(media)
    try:
        parts = form.members(body)
        items = form.items(parts.get(field, b""), MAX_ENTRIES + 1)
    except Uncut:
        return None
    if len(items) > MAX_ENTRIES:
        raise TooLarge(f"more than {MAX_ENTRIES} entries in one batch: send several")
    empty = b"\x90" if media == MSGPACK else b"[]"
    return form.joined({**parts, field: empty}), [msgspec.Raw(item) for item in items]


class _Named(msgspec.Struct):
    """All that is asked of an entry: the rest of it is passed over."""

    key: Any = None


def key_of(raw: bytes, media: str) -> str | None:
    """The key of an entry that could not be read, or is too large to be."""
    try:
        key = (msgspec.msgpack if media == MSGPACK else msgspec.json).decode(raw, type=_Named).key
    except (ValueError, RecursionError):
        key = _key_in(raw, media)
    return key if isinstance(key, str) else None


def _key_in(raw: bytes, media: str) -> Any:
    try:
        piece = _form(media).members(raw).get("key", b"null")
        return msgspec.msgpack.decode(piece) if media == MSGPACK else json.loads(piece)
    except (ValueError, RecursionError):
        return None


def reason(raw: bytes, media: str, error: Exception) -> str:
    """What is wrong with an entry that the strict reader refused with `error`."""
    if isinstance(error.__cause__, RecursionError):
        return f"data is nested deeper than {MAX_DEPTH} levels"
    if media == MSGPACK or isinstance(error.__cause__, msgspec.ValidationError):
        return str(error)
    words: list[str] = []
    try:
        json.loads(raw, parse_constant=words.append)  # reads NaN and half surrogates, and nothing else that is no JSON
    except (ValueError, RecursionError):
        return str(error)
    return f"data holds {words[0]}, which JSON has no word for" if words else _LONE


def _form(media: str) -> ModuleType:
    return packed_pieces if media == MSGPACK else pieces
