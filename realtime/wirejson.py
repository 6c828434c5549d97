"""JSON for Socket.IO: the `json` module's two calls, by msgspec, so that stored JSON text goes out as it is."""

from typing import Any

import msgspec

_encode = msgspec.json.encode
_decode = msgspec.json.decode

JSONDecodeError = msgspec.DecodeError


def dumps(value: Any, **_settings: Any) -> str:
    return _encode(value).decode()


def loads(text: str | bytes, **_settings: Any) -> Any:
    return _decode(text)
