"""Amounts, numbers and dates: read exactly, or refused."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from scrapers.errors import Unreadable
from scrapers.values import day, money, number


@pytest.mark.parametrize(
    ("text", "decimal", "amount"),
    [
        ("512.40", None, "512.40"),
        ("€ 1.299,00", None, "1299.00"),
        ("$1,299.00", None, "1299.00"),
        ("1.299", None, "1299"),
        ("1.299", ".", "1.299"),
        ("1.299", ",", "1299"),
        ("1,299", ".", "1299"),
        ("0.299", None, "0.299"),
        ("1.299.000", None, "1299000"),
        ("1 299,50 €", None, "1299.50"),
        ("1\u202f299,50 €", None, "1299.50"),
        ("CHF 1'299.50", None, "1299.50"),
        ("€ 5.-", None, "5"),
        ("$.75", None, "0.75"),
        ("12.40EUR", None, "12.40"),
        ("-5.00", None, "-5.00"),
        ("−5,00 €", None, "-5.00"),
        ("-$5", None, "-5"),
        ("(5.00)", None, "-5.00"),
        ("5.00-", None, "-5.00"),
        ("Price – 5.00", None, "5.00"),
    ],
)
def test_amounts(text, decimal, amount):
    assert money(text, decimal) == Decimal(amount)
    assert str(money(text, decimal)) == amount


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("", None),
        ("on request", None),
        ("free", None),
        ("512.40 – 600.00", None),
        ("3 for 10.00", None),
        ("1.2.3", None),
        ("12,34,56", None),
        ("1.5M", None),
        ("2k", None),
        ("512.40", ","),
        ("1.299,00", "."),
        ("1,29,900", "."),
        ("٣٤", None),
        ("٣.50", "."),
    ],
)
def test_what_is_no_amount_is_refused(text, decimal):
    with pytest.raises(Unreadable):
        money(text, decimal)


@given(some.decimals(min_value=0, max_value=10**12, places=2))
def test_an_amount_reads_the_same_in_every_spelling(amount):
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert money(english) == money(german) == money(f"{amount:.2f}") == amount


@given(
    some.sampled_from([".", ","]),
    some.from_regex(r"[0-9]{1,4}([., '][0-9]{3}){0,2}([.,][0-9]{1,3})? ?[€$]?", fullmatch=True),
)
def test_what_is_plain_reads_as_what_is_not(decimal, text):
    """A text that is nothing but a number is read at once; one with a sign before it is looked at more closely."""

    def read(how, text):
        try:
            return str(how(text, decimal))
        except Unreadable:
            return None

    assert read(money, text) == read(money, f"= {text}")
    assert read(number, text) == read(number, f"= {text}")


@pytest.mark.parametrize(
    ("text", "value"), [("1,299 results", 1299), ("-7", -7), ("3.5 kg", Decimal("3.5")), ("Total: 12", 12)]
)
def test_numbers(text, value):
    assert number(text) == value
    assert type(number(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        ("2026-02-01", None, date(2026, 2, 1)),
        ("01/02/2026", "DMY", date(2026, 2, 1)),
        ("01/02/2026", "MDY", date(2026, 1, 2)),
        ("31.12.2026", "DMY", date(2026, 12, 31)),
        ("12/30/2022 10:30 PM", "MDY", date(2022, 12, 30)),
        ("2024-04-29T23:30:00-05:00", None, date(2024, 4, 29)),
        ("Apr 29, 2024", None, date(2024, 4, 29)),
        (" 29 April 2024 ", None, date(2024, 4, 29)),
        ("Wed, 05 Jun 2024 10:00:00 GMT", None, date(2024, 6, 5)),
    ],
)
def test_dates(text, order, expected):
    assert day(text, order) == expected


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("01/02/2026", None),
        ("13/02/2026", "MDY"),
        ("02/13/2026", "DMY"),
        ("2026-02-01", "DMY"),
        ("12/30/22", "MDY"),
        ("2026-02-30", None),
        ("April 2024", None),
        ("May 5", None),
        ("June 17, 26", None),
        ("2024", None),
        ("yesterday", None),
        ("in 2 days", None),
        ("June 17, 2026 or so", None),
        ("", None),
    ],
)
def test_what_is_not_a_whole_date_is_refused(text, order):
    with pytest.raises(Unreadable, match="date"):
        day(text, order)


def test_a_format_decides():
    assert day("30/12/22", format="%d/%m/%y") == date(2022, 12, 30)
    with pytest.raises(Unreadable, match="format"):
        day("2022-12-30", format="%d/%m/%y")


@pytest.mark.parametrize(
    "read",
    [
        lambda text: money(f"1.5 k {text}"),
        lambda text: money(text),
        lambda text: money(f"1.23.4 {text}"),
        lambda text: number(f"1.23.4 {text}"),
        lambda text: number(f"1 2 3 {text}"),
        lambda text: day(text),
        lambda text: day(text, format="%d/%m/%y"),
        lambda text: day(f"31.2.2026 10:00 {text}", "DMY"),
    ],
)
def test_a_container_in_place_of_a_value_is_not_quoted_whole(read):
    with pytest.raises(Unreadable) as refused:
        read("All about one thing. " * 10_000)
    assert len(refused.value.message) < 400


def test_other_languages():
    assert day("1. März 2026", languages=["de"]) == date(2026, 3, 1)
    with pytest.raises(Unreadable):
        day("1. März 2026")
