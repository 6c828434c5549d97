"""The contract, from bytes to submissions."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api import short_form
from ingest_api.contract import Entry, packed_pieces, pieces
from ingest_api.contract.entry import MAX_DATA, Checks, plain
from ingest_api.contract.errors import ContractError, EntryError, NotABatch, TooLarge, UnsupportedMedia
from ingest_api.contract.wire import JSON, MAX_BODY, MAX_RAW, MSGPACK, decode_submission, encode, inflate

NOW = datetime(2026, 11, 22, 7, 31, tzinfo=UTC)


def body(*entries: Any, **fields: Any) -> bytes:
    batch = {"source": "vendor_x", "run_id": "r", "batch_id": "b", "entries": list(entries), **fields}
    return json.dumps(batch).encode()


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_a_batch_comes_through_in_both_forms(media: str) -> None:
    entry = {
        "key": "SKU-1",
        "data": {"name": "Beam", "price": "512.40"},
        "topic": "steel",
        "url": "https://x.example/1",
    }
    batch = {"source": "vendor_x", "run_id": "r", "batch_id": "b", "entries": [entry], "complete": True}
    submission = decode_submission(encode(batch, media), media, NOW)
    (taken,) = submission.batch.entries
    assert (taken.key, taken.topic, taken.data["price"]) == ("SKU-1", "steel", "512.40")
    assert taken.observed_at == NOW
    assert submission.batch.complete


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (5, "object"),
        ({"data": {}}, "key"),
        ({"key": "  ", "data": {}}, "key is empty"),
        ({"key": "k" * 201, "data": {}}, "201 characters"),
        ({"key": "k", "data": []}, "object"),
        ({"key": "k", "data": {"a": float("nan")}}, "data holds NaN, which JSON has no word for"),
        ({"key": "k", "data": {"a": -float("inf")}}, "data holds -Infinity, which JSON has no word for"),
        ({"key": "k", "data": {"a": 2**70}}, "64 bits"),
        ({"key": "k", "data": {"a": "x" * MAX_DATA}}, "bytes as JSON"),
        ({"key": "k", "data": {"a": [[[[[[[1]]]]]]]}}, "nested"),
        ({"key": "k", "data": {f"f{n}": n for n in range(201)}}, "201 fields"),
        ({"key": "k", "data": {}, "url": "javascript:alert(1)"}, "http"),
        ({"key": "k", "data": {}, "url": "http://[::1"}, "address"),
        ({"key": "k", "data": {}, "observed_at": "yesterday"}, "RFC3339"),
        ({"key": "k", "data": {}, "observed_at": "2026-11-22T07:31:00"}, "timezone"),
        ({"key": "k", "data": {}, "observed_at": "2027-01-01T00:00:00Z"}, "future"),
        ({"key": "k", "data": {}, "observed_at": "0001-01-01T00:00:00+14:00"}, "1970 to 2199"),
        ({"key": "k", "data": {}, "observed_at": "9999-12-31T23:59:59-14:00"}, "1970 to 2199"),
        ({"key": "k", "data": {}, "observed_at": "0001-01-01T00:00:00Z"}, "1970 to 2199"),
    ],
)
def test_a_bad_entry_is_set_aside_with_its_reason(entry: Any, reason: str) -> None:
    submission = decode_submission(body({"key": "good", "data": {}}, entry, {"key": "too", "data": {}}), JSON, NOW)
    assert [e.key for e in submission.batch.entries] == ["good", "too"]
    (dead,) = submission.dead
    assert dead.rejected.index == 1
    assert reason in dead.rejected.error
    assert dead.payload


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_of_an_entry_that_takes_seconds_to_read_only_the_key_is(media: str) -> None:
    entries = [{"key": "k", "data": {"n": 1}}, {"key": "large", "data": {"a": [0] * MAX_RAW}}]
    batch = {"source": "vendor_x", "run_id": "r", "batch_id": "b", "entries": entries}
    submission = decode_submission(encode(batch, media), media, NOW)
    assert [entry.key for entry in submission.batch.entries] == ["k"]
    (dead,) = submission.dead
    assert (dead.rejected.index, dead.rejected.key) == (1, "large")
    assert f"at most {MAX_RAW} are read" in dead.rejected.error


def nested(depth: int, media: str) -> bytes:
    """An entry called b, with lists within lists."""
    if media == JSON:
        return b'{"key":"b","data":{"x":' + b"[" * depth + b"1" + b"]" * depth + b"}}"
    return b"\x82\xa3key\xa1b\xa4data\x81\xa1x" + b"\x91" * depth + b"\x01"


@pytest.mark.parametrize("media", [JSON, MSGPACK])
@pytest.mark.parametrize("depth", [900, 1200, 100_000])
def test_an_entry_that_is_too_deep_sinks_only_itself(media: str, depth: int) -> None:
    entries = [msgspec.Raw(encode({"key": "a", "data": {}}, media)), msgspec.Raw(nested(depth, media))]
    raw = encode({"source": "s", "run_id": "r", "batch_id": "b", "entries": [*entries, entries[0]]}, media)
    submission = decode_submission(raw, media, NOW)
    assert [e.key for e in submission.batch.entries] == ["a", "a"]
    (dead,) = submission.dead
    assert (dead.rejected.index, dead.rejected.key) == (1, "b")
    assert dead.rejected.error == "data is nested deeper than 6 levels"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('{"key": "b", "data": {"x": NaN}}', "data holds NaN, which JSON has no word for"),
        ('{"key": "b", "data": {"x": "\\ud800"}}', "data holds half a surrogate: send each letter whole"),
        ('{"data": {"x": "[NaN"}, "key": "b", "topic": "\\udc00"}', "half a surrogate"),
        ('{"key": "b", "data": {"x": tru}}', "malformed"),
        ('{"key": "b", "data": {"x": "}"}]', "malformed"),
    ],
)
def test_what_json_cannot_hold_sinks_only_its_entry_and_is_kept_as_it_came(entry: str, reason: str) -> None:
    good = '{"key": "a", "data": {"\\"]": "\\\\"}}'
    raw = f'{{"run_id":"r", "entries" : [{good},{entry} ,\n{good}], "source":"s","batch_id":"b"}}'.encode()
    submission = decode_submission(raw, JSON, NOW)
    assert [e.data for e in submission.batch.entries] == [{'"]': "\\"}] * 2
    (dead,) = submission.dead
    assert reason in dead.rejected.error
    assert dead.payload == entry
    assert dead.rejected.key == ("b" if entry.endswith("}") else None)


@pytest.mark.parametrize("tail", ["", "]", "}", "]} x", ",]}", "},{}]}", "]]}", "],}"])
def test_what_is_cut_off_or_closed_wrongly_stores_nothing(tail: str) -> None:
    raw = f'{{"source":"s","run_id":"r","batch_id":"b","entries":[{{"key":"a","data":{{}}}},{{"a":NaN}}{tail}'
    with pytest.raises(NotABatch):
        decode_submission(raw.encode(), JSON, NOW)


def test_a_short_form_loses_only_what_cannot_be_read() -> None:
    deep = nested(1200, JSON).decode()
    raw = f'{{"source":"s","data":[{{"id":1,"n":NaN}},{{"id":"good","n":2}},{deep},{{"key":"k","data":{{}}}}, 5]}}'
    form = short_form.read(raw.encode(), JSON)
    submission = decode_submission(short_form.as_batch(form, "r", JSON), JSON, NOW)
    assert [(e.key, e.data) for e in submission.batch.entries] == [("good", {"id": "good", "n": 2}), ("k", {})]
    assert [dead.rejected.index for dead in submission.dead] == [0, 2, 4]
    assert "NaN" in submission.dead[0].rejected.error
    assert submission.dead[0].payload == '{"id":1,"n":NaN}'


def test_a_short_form_in_messagepack_is_the_same() -> None:
    raw = encode({"source": "s", "data": [{"id": "a", "n": 1}, {"n": float("nan"), "id": "b"}, {1: 2}]}, MSGPACK)
    form = short_form.read(raw, MSGPACK)
    submission = decode_submission(short_form.as_batch(form, "r", MSGPACK), MSGPACK, NOW)
    assert [e.key for e in submission.batch.entries] == ["a"]
    assert ["finite" in dead.rejected.error for dead in submission.dead] == [True, False]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"entries": []}',
        body(source="Vendor X"),
        body(source="../x"),
        body(batch_id=""),
        body(run_id=5),
        body(complete="yes"),
        body(source="vendor_x\n"),
        body(run_id="r\n"),
        body(batch_id="b\n"),
        body(parser="p" * 101),
        body(as_of="0001-01-01T00:00:00+14:00"),
        body(as_of="2200-01-01T00:00:00Z"),
        b"[" * 100_000,
    ],
)
def test_what_is_not_a_batch_says_so(raw: bytes) -> None:
    with pytest.raises(NotABatch):
        decode_submission(raw, JSON, NOW)


def test_the_parser_is_cleaned() -> None:
    assert decode_submission(body(parser="a\x00b"), JSON, NOW).batch.parser == "ab"


def test_too_many_entries() -> None:
    with pytest.raises(TooLarge, match="10001"):
        decode_submission(body(*([{"key": "k", "data": {}}] * 10_001)), JSON, NOW)


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_of_too_many_entries_of_which_one_cannot_be_read_no_more_are_cut_than_it_takes_to_say_so(
    media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut: list[int] = []
    form = packed_pieces if media == MSGPACK else pieces
    items = form.items
    monkeypatch.setattr(form, "items", lambda *asked: cut.append(len(found := items(*asked))) or found)
    many = [msgspec.Raw(nested(1200, media)), *range(12_000)]
    with pytest.raises(TooLarge, match="more than 10000 entries"):
        decode_submission(encode({"source": "s", "run_id": "r", "batch_id": "b", "entries": many}, media), media, NOW)
    with pytest.raises(TooLarge, match="more than 10000 entries"):
        short_form.read(encode({"source": "s", "data": many}, media), media)
    assert cut == [10_001, 10_001]


def test_inflating_knows_its_bounds() -> None:
    assert inflate(gzip.compress(b"abc"), "gzip") == b"abc"
    assert inflate(b"abc", None) == b"abc"
    with pytest.raises(TooLarge):
        inflate(gzip.compress(bytes(MAX_BODY + 1)), "gzip")
    with pytest.raises(NotABatch, match="too early"):
        inflate(gzip.compress(b"abc")[:-4], "gzip")
    with pytest.raises(NotABatch, match="not gzip"):
        inflate(b"abc", "gzip")
    with pytest.raises(UnsupportedMedia):
        inflate(b"abc", "br")


def test_noise_is_removed() -> None:
    entry = Checks(NOW).entry(Entry(key=" a\x00 ", data={"t\x1b": "x\x00\r\ny\t"}, topic="s\x07"))
    assert (entry.key, entry.data, entry.topic) == ("a", {"t": "x\ny\t"}, "s")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_comes_is_taken_or_refused_in_words(value: Any) -> None:
    for entry in (value, {"key": "k", "data": value}, {"key": "k", "data": {"v": value}, "topic": value, "url": value}):
        submission = decode_submission(body(entry), JSON, NOW)
        assert len(submission.batch.entries) + len(submission.dead) == 1
        for taken in submission.batch.entries:
            msgspec.json.decode(msgspec.json.encode(taken))
            assert plain(taken.key) == taken.key


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_in_words(raw: bytes) -> None:
    for media in (JSON, MSGPACK):
        with pytest.raises(ContractError, match=r"\w"):
            decode_submission(raw, media, NOW)


def test_an_entry_error_is_a_contract_error() -> None:
    assert issubclass(EntryError, ContractError)
    assert NotABatch().message.startswith("The body is not a batch")


def test_a_default_message_is_one_line() -> None:
    class Long(ContractError):
        """What is wrong,
        and what to do."""

    assert Long().message == "What is wrong, and what to do."


_text = st.text(st.characters() | st.sampled_from('\x00\r\n\t\x7f\x85\\"/é€\ufeff\uffff\u2028 '), max_size=8)
_plain = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | _text
)
_raw_entries = st.lists(
    st.fixed_dictionaries(
        {"key": _text, "data": st.dictionaries(_text, _plain | st.lists(_plain, max_size=2), max_size=4)},
        optional={
            "topic": _text,
            "url": _text | st.sampled_from(["https://a.example/x?y=1", "http://[::1", "ftp://a"]),
        },
    ),
    max_size=3,
)


@given(_raw_entries, st.booleans())
def test_what_a_clean_body_is_spared_changes_nothing(entries: list[dict[str, Any]], escaped: bool) -> None:
    """Entry by entry the same, whether all of a body was looked at once or each text by itself."""
    body = json.dumps({"source": "s", "run_id": "r", "batch_id": "b", "entries": entries}, ensure_ascii=escaped).encode(
        "utf-8", "surrogatepass"
    )
    taken = decode_submission(body, received_at=NOW)
    kept, reasons = [], []
    for entry in entries:
        try:
            kept.append(Checks(NOW).entry(msgspec.json.decode(json.dumps(entry).encode(), type=Entry)))
        except (EntryError, msgspec.DecodeError) as error:
            reasons.append(type(error))
    assert taken.batch.entries == kept
    assert len(taken.dead) == len(reasons)
