"""What a scraper tells of its source and its runs: what is refused, since nobody could keep it or count with it, and
what is cut."""

from typing import Any

import msgspec
import pytest

from ingest_api.contract import RunFault, RunReport, SourceInfo
from ingest_api.contract.errors import NotABatch
from ingest_api.contract.source import LONGEST_TEXT, MOST_FIELDS
from ingest_api.contract.wire import JSON, MSGPACK, decode, encode

RUN = {"run_id": "r", "source": "s", "state": "complete", "started_at": "2026-11-22T07:31:00Z"}
ENDS = ["0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("moment", [*ENDS, "2200-01-01T00:00:00Z"])
def test_every_moment_is_of_a_year_that_counts(moment: str) -> None:
    for kind, value in (
        (RunReport, {**RUN, "started_at": moment}),
        (RunReport, {**RUN, "finished_at": moment}),
        (SourceInfo, {"name": "s", "next_run": moment}),
    ):
        with pytest.raises(NotABatch, match="1970 to 2199"):
            decode(encode(value), kind)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"every": 1e308}, "every"),
        ({"every": 0}, "every"),
        ({"stale_after": 1e306}, "stale_after"),
        ({"aggregate": {"field": "p", "windows": ["1m"], "retention": 1e308}}, "retention"),
        ({"aggregate": {"field": "p", "windows": ["1m"], "keep": 2e9}}, "keep"),
        ({"aggregate": {"field": "p", "windows": ["1m", "5m", "1m"]}}, "same length"),
        ({"aggregate": {"field": "p", "windows": ["1m", "60s"]}}, "same length"),
        ({"aggregate": {"field": "p", "windows": ["24h", "1d"]}}, "same length"),
        ({"aggregate": {"field": "p", "windows": ["1m\n"]}}, "windows"),
        ({"name": "z" * 57, "aggregate": {"field": "p", "windows": ["1m"]}}, "56 characters"),
        ({"name": "s\n"}, "name"),
    ],
)
def test_a_source_that_cannot_be_kept_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(NotABatch, match=reason):
        decode(encode({"name": "s", **fields}), SourceInfo)


@pytest.mark.parametrize(
    "fields", [{"seen": 2**63}, {"seen": 2**31}, {"pages": -1}, {"parser": "p" * 101}, {"run_id": "r\n"}]
)
def test_a_run_that_cannot_be_counted_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(NotABatch, match="as the contract asks"):
        decode(encode({**RUN, **fields}), RunReport)


@pytest.mark.parametrize("media", [JSON, MSGPACK])
def test_a_text_without_an_end_is_cut_and_its_report_counts(media: str) -> None:
    long = "€ 1.50 " * 100_000
    texts = ["code", "message", "page", "selector", "saved"]
    report = decode(encode({**RUN, "fault": dict.fromkeys(texts, long)}, media), RunReport, media)
    assert report.fault == RunFault(**dict.fromkeys(texts, long[:LONGEST_TEXT]))
    assert msgspec.to_builtins(report.fault) == dict.fromkeys(texts, long[:LONGEST_TEXT])
    texts = ["title", "schedule", "fetch", "lead", "expect"]
    info = decode(encode({"name": "s", **dict.fromkeys(texts, long)}, media), SourceInfo, media)
    assert msgspec.to_builtins(info) == {"name": "s", **dict.fromkeys(texts, long[:LONGEST_TEXT])}


@pytest.mark.parametrize("media", [JSON, MSGPACK])
@pytest.mark.parametrize(("count", "length"), [(200_000, 3), (9, MOST_FIELDS // 8), (1, 10**6)])
def test_of_too_many_fields_the_first_are_kept(media: str, count: int, length: int) -> None:
    fields = {f"field {number}": {"unit": "€" * (length // 3)} for number in range(count)}
    kept = decode(encode({"name": "s", "fields": fields}, media), SourceInfo, media).fields
    assert kept == {name: fields[name] for name in list(fields)[: len(kept)]}
    fits = dict(list(fields.items())[: len(kept) + 1])
    assert len(encode(kept)) <= MOST_FIELDS < len(encode(fits)) + len(fits)


def test_what_is_usual_is_taken() -> None:
    fields = {f"price {number}": {"unit": "EUR", "label": f"Price {number}"} for number in range(200)}
    assert decode(encode({"name": "s", "fields": fields}), SourceInfo).fields == fields
    aggregate = {"field": "p", "windows": ["1s", "1m", "1h", "1d", "30d"], "retention": 600, "keep": 1e9}
    info = decode(encode({"name": "z" * 56, "every": 30, "aggregate": aggregate}), SourceInfo)
    assert decode(encode(info), SourceInfo) == info
    assert decode(encode({**RUN, "seen": 2**31 - 1, "started_at": "1970-01-01T00:00:00Z"}), RunReport).pages == 0
    assert "fields" not in msgspec.to_builtins(info)
