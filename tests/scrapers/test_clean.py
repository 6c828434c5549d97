"""Entries leave without markup and noise, and nothing is cut in silence."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scrapers import Entry
from scrapers.clean import Cleaner, text
from scrapers.errors import BadEntry

BASE = "https://shop.example/list/"


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("A & B", "A & B"),
        ("x<y", "x<y"),
        ("x < y and z>w", "x < y and z>w"),
        ("a <b and c", "a <b and c"),
        ("AT&amp;T", "AT&amp;T"),
        ("<b>Beam</b>&nbsp;&amp; <i>Tube</i>", "Beam & Tube"),
        ("<p>one</p><p>two<br>three</p>", "one two three"),
        ("<script>alert(1)</script>safe", "safe"),
        ("<img src=x onerror=alert(1)", ""),
        ("<!-- hidden -->shown", "shown"),
        ("  a\t\n b\u00a0c\x0cd ", "a b c d"),
        ("a\x00\x1bb\u200b\u202e", "ab"),
    ],
)
def test_text(dirty, clean):
    assert text(dirty) == clean


@given(some.text(alphabet=some.characters(exclude_characters="<", exclude_categories=["Cc", "Cf", "Cs", "Cn", "Z"])))
def test_text_without_markup_stays_as_it_is(value):
    assert text(value) == value


def test_printable_characters_need_no_cleaning():
    """What lets most texts pass at once: Python calls no character printable that we would drop or call white space."""
    printable = [character for character in map(chr, range(0x110000)) if character.isprintable()]
    assert [character for character in printable if text(f"a\0{character}b") != f"a{character}b"] == []
    assert [character for character in printable if character.isspace()] == [" "]


def test_an_entry_as_the_contract_takes_it():
    fetched = datetime(2026, 11, 22, 7, 31, tzinfo=UTC)
    entry = Entry(
        key=" SKU \n1 ",
        topic="<b>steel</b>",
        url="../1042?a=1",
        data={
            "name": " <b>Beam</b> ",
            "price": Decimal("512.40"),
            "from": date(2026, 1, 2),
            "stock": 7,
            "sizes": ("a ", Decimal("1E+2")),
            "more": {" x ": None},
        },
    )
    done = Cleaner(BASE, fetched).cleaned(entry)
    assert (done.key, done.topic, done.url) == ("SKU 1", "steel", "https://shop.example/1042?a=1")
    assert done.data == {
        "name": "Beam",
        "price": "512.40",
        "from": "2026-01-02",
        "stock": 7,
        "sizes": ["a", "100"],
        "more": {"x": None},
    }
    assert done.observed_at == fetched


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "  "},
        {"key": "k" * 201},
        {"key": None},
        {"topic": "t" * 101},
        {"url": "javascript:alert(1)"},
        {"url": "ftp://shop.example/"},
        {"url": "http://["},
        {"url": "https://shop.example/" + "x" * 2048},
        {"data": {"text": "x" * 70_000}},
        {"data": {f"f{n}": n for n in range(201)}},
        {"data": {"n": Decimal("NaN")}},
        {"data": {"n": float("inf")}},
        {"data": {"n": object()}},
        {"data": {1: "x"}},
        {"data": None},
    ],
)
def test_what_does_not_fit_is_refused_and_named(wrong):
    entry = Entry(**{"key": "SKU-1", "data": {}} | wrong)
    with pytest.raises(BadEntry, match=r"^entry ") as caught:
        Cleaner(BASE).cleaned(entry)
    assert caught.value.page == BASE


def test_nesting_without_end_is_refused():
    data = {}
    data["me"] = data
    with pytest.raises(BadEntry, match="nested"):
        Cleaner(BASE).cleaned(Entry(key="k", data=data))
