"""MessagePack cut into pieces that are not read: see `pieces`. Values to come are counted, so that none is too deep."""

import struct
import sys

import msgspec

from ingest_api.contract.pieces import Uncut

# first byte -> bytes of its length, bytes beside what it counts, values for each that it counts (0: it counts bytes)
_COUNTED = {
    **dict(zip(range(0xC4, 0xC7), ((1, 0, 0), (2, 0, 0), (4, 0, 0)), strict=True)),  # bin
    **dict(zip(range(0xC7, 0xCA), ((1, 1, 0), (2, 1, 0), (4, 1, 0)), strict=True)),  # ext
    **dict(zip(range(0xD9, 0xDC), ((1, 0, 0), (2, 0, 0), (4, 0, 0)), strict=True)),  # str
    **dict(zip(range(0xDC, 0xE0), ((2, 0, 1), (4, 0, 1), (2, 0, 2), (4, 0, 2)), strict=True)),  # array, map
}
# first byte -> bytes that follow: nil, false, true; floats, whole numbers without and with a sign, ext
_FIXED = {0xC0: 0, 0xC2: 0, 0xC3: 0} | dict(
    zip(range(0xCA, 0xD9), (4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17), strict=True)
)
_LENGTH = {1: ">B", 2: ">H", 4: ">I"}
_MOST = 8 * 1024 * 1024  # bytes; more would take seconds


def members(packed: bytes) -> dict[str, bytes]:
    """The members of a map whose names are text. Raises Uncut."""
    if packed[:1] and not (0x80 <= packed[0] <= 0x8F or packed[0] in (0xDE, 0xDF)):
        raise Uncut
    pieces = _inner(packed)
    try:
        names = [msgspec.msgpack.decode(name, type=str) for name in pieces[::2]]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Uncut from error
    return dict(zip(names, pieces[1::2], strict=True))


def items(packed: bytes, most: int = sys.maxsize) -> list[bytes]:
    """The items of an array; what comes after `most` of them is not looked at. Raises Uncut."""
    if packed[:1] and not (0x90 <= packed[0] <= 0x9F or packed[0] in (0xDC, 0xDD)):
        raise Uncut
    return _inner(packed, most)


def joined(parts: dict[str, bytes]) -> bytes:
    """A map of these members."""
    return (
        b"\xdf"
        + struct.pack(">I", len(parts))
        + b"".join(msgspec.msgpack.encode(name) + part for name, part in parts.items())
    )


def _inner(packed: bytes, most: int = sys.maxsize) -> list[bytes]:
    """The values in an array, or the names and values in a map, which is all that there is; at most so many."""
    if len(packed) > _MOST:
        raise Uncut
    at, count = _head(packed, 0)
    found = []
    for _ in range(min(count, most)):
        end = _end(packed, at)
        found.append(packed[at:end])
        at = end
    if count <= most and at != len(packed):
        raise Uncut
    return found


def _end(packed: bytes, at: int) -> int:
    """Where the value ends that begins at `at`."""
    to_come = 1
    while to_come:
        at, inner = _head(packed, at)
        to_come += inner - 1
    return at


def _head(packed: bytes, at: int) -> tuple[int, int]:
    """Of the value at `at`: where it ends, but for the values in it, and how many these are."""
    if at >= len(packed):
        raise Uncut
    first = packed[at]
    at += 1
    if first < 0x80 or first >= 0xE0:
        return at, 0
    if first < 0x90:
        return at, 2 * (first & 0x0F)
    if first < 0xA0:
        return at, first & 0x0F
    if first < 0xC0:
        return at + (first & 0x1F), 0
    if first in _FIXED:
        return at + _FIXED[first], 0
    if first not in _COUNTED:
        raise Uncut
    size, beside, values = _COUNTED[first]
    length = packed[at : at + size]
    if len(length) < size:
        raise Uncut
    count: int = struct.unpack(_LENGTH[size], length)[0]
    return (at + size, values * count) if values else (at + size + beside + count, 0)
