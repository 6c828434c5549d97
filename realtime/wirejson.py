"""JSON for Socket.IO: the `json` module's two calls, by msgspec, so that stored JSON text goes out as it is. An event
with a payload that cannot be read is an event still: see `unreadable`."""

from typing import Any

import msgspec

from realtime import unreadable

_encode = msgspec.json.encode
_decode = msgspec.json.decode

JSONDecodeError = msgspec.DecodeError


def dumps(value: Any, **_settings: Any) -> str:
    return _encode(value).decode()


def loads(text: str | bytes, **_settings: Any) -> Any:
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        try:
            return unreadable.event(text.encode() if isinstance(text, str) else text)
        except ValueError:
            raise error from None
