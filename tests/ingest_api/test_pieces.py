"""Cutting without reading: what is cut is what a reader finds, in both forms."""

import json
from types import ModuleType
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.contract import packed_pieces, pieces
from ingest_api.contract.pieces import Uncut

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(st.lists(JSON), st.sampled_from([None, 1]))
def test_the_items_of_a_list(value: list[Any], indent: int | None) -> None:
    assert [json.loads(item) for item in pieces.items(json.dumps(value, indent=indent).encode())] == value
    packed = msgspec.msgpack.encode(value)
    assert [msgspec.msgpack.decode(item) for item in packed_pieces.items(packed)] == value


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 1]))
def test_the_members_of_an_object(value: dict[str, Any], indent: int | None) -> None:
    found = pieces.members(json.dumps(value, indent=indent).encode())
    assert {name: json.loads(piece) for name, piece in found.items()} == value
    assert json.loads(pieces.joined(found)) == value
    packed = packed_pieces.members(msgspec.msgpack.encode(value))
    assert {name: msgspec.msgpack.decode(piece) for name, piece in packed.items()} == value
    assert msgspec.msgpack.decode(packed_pieces.joined(packed)) == value


@given(st.binary(max_size=80), st.sampled_from([pieces, packed_pieces]))
def test_whatever_comes_is_cut_or_not(text: bytes, form: ModuleType) -> None:
    for cut in (form.members, form.items):
        try:
            cut(text)
        except Uncut:
            continue


@pytest.mark.parametrize("text", [b'{"\xff":1}', b'{"\x01":1}', b'{"a" 1}', b"{1:1}", b"", b"[", b"5", b'"a"'])
def test_what_is_no_object(text: bytes) -> None:
    with pytest.raises(Uncut):
        pieces.members(text)


@pytest.mark.parametrize(
    "text", [b'"' * 2_000_001, b'"\\' * 1_000_000, b"[" * 2_000_000, b'{"' * 1_000_000, b"[1" + b" " * 2_000_000]
)
def test_no_text_takes_longer_than_its_length(text: bytes) -> None:
    """A pattern that goes back would not come to an end here."""
    for cut in (pieces.members, pieces.items):
        with pytest.raises(Uncut):
            cut(text)


def test_a_length_that_is_not_there() -> None:
    for packed in (
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x91\xdb\xff\xff\xff\xff",
        b"\x91\xc1",
        b"\x92\x01",
    ):
        for cut in (packed_pieces.members, packed_pieces.items):
            with pytest.raises(Uncut):
                cut(packed)
