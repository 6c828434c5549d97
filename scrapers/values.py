"""Text to Decimal, int and date, strictly: what could be read in two ways, or only in part, is refused."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Literal

import dateparser
from price_parser.parser import get_decimal_separator

from scrapers.errors import Unreadable

Order = Literal["YMD", "DMY", "MDY"]
Separator = Literal[".", ","]

_SPACE = "\u0020\u00a0\u2009\u202f"
_NUMBER = re.compile(rf"(?:(?<!\w)[.,])?\d(?:[\d.,'’{_SPACE}]*\d)?")
_NO_DIGIT = re.compile("[^0-9]")


_MULTIPLE = re.compile(r"\s?(?:k|m|mio|mn|bn|b)\b", re.IGNORECASE)
_MINUS_BEFORE = re.compile(r"(?:^|[\s(]|[A-Z]{3})[-−][^\w\s]?$|^[-−]\s*$")
_MINUS_AFTER = re.compile(r"[-−](?:\s|$)")
_NUMERIC_DATE = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:[T,]?\s*\d{1,2}:\d\d.*)?")
_GROUPED = {
    decimal: rf"[1-9]\d{{0,2}}(?P<by>[{groups}'’{_SPACE}])\d{{3}}(?:(?P=by)\d{{3}})*"
    for decimal, groups in ((".", ","), (",", "."), (None, ".,"))
}
_FRACTION = {".": r"(?:\.\d+)?", ",": r"(?:,\d+)?", None: ""}
_SHAPE = {decimal: re.compile(rf"(?:\d*|{_GROUPED[decimal]}){_FRACTION[decimal]}", re.ASCII) for decimal in _GROUPED}
_PLAIN = {  # all of a text, with at most the sign of a currency: the most there are, and nothing about them is in doubt
    decimal: re.compile(rf"(?P<number>(?:\d+|{_GROUPED[decimal]}){_FRACTION[decimal]}) ?[€$£¥]?", re.ASCII)
    for decimal in (".", ",")
}
_WITHOUT_GUESSES = {
    "PARSERS": ["absolute-time"],
    "REQUIRE_PARTS": ["day", "month", "year"],
    "STRICT_PARSING": True,
}


def money(text: str, decimal: Separator | None = None) -> Decimal:
    """The one amount in `text`, without its currency: `"€ 1.299,00"` is `Decimal("1299.00")`.

    `decimal` is the decimal separator. Without it, it is told from the text; where both readings are possible
    ("1.299") three digits at the end are thousands, since amounts have two decimals or none: name the separator where
    prices have three. Raises Unreadable when there is no amount, more than one, or a shape that is neither.
    """
    if decimal and (plain := _PLAIN[decimal].fullmatch(text)):
        return _exact(plain["number"], decimal)
    found = _only_number(text)
    if _MULTIPLE.match(text, found.end()):
        raise Unreadable(f"an exact amount was expected, not {text[:100]!r}")
    amount = _decimal(found[0], decimal or _likely_separator(found[0]), text)
    return -amount if _negative(text, found) else amount


def number(text: str, decimal: Separator = ".") -> int | Decimal:
    """The one number in `text`, an int when it has no decimals: `"1,299 results"` is 1299.

    Raises Unreadable when there is none, more than one, or one that `decimal` does not allow.
    """
    if plain := _PLAIN[decimal].fullmatch(text):
        value = _exact(plain["number"], decimal)
        return value if decimal in text else int(value)
    found = _only_number(text)
    value = _decimal(found[0], decimal, text)
    value = -value if _negative(text, found) else value
    return value if decimal in found[0] else int(value)


def day(
    text: str, order: Order | None = None, *, format: str | None = None, languages: Sequence[str] = ("en",)
) -> date:
    """The date in `text`, which must be all of it (a time of day may follow and is dropped).

    Dates are never guessed. `format` (of strptime) decides when it is given. Otherwise a date in digits is read in
    `order` (without one: year-month-day only) with all four digits of the year, and a month's name in `languages`.
    Raises Unreadable when something is missing, left over, or no such day.
    """
    text = text.strip()
    try:
        if format is not None:
            return datetime.strptime(text, format).date()
        if digits := _NUMERIC_DATE.fullmatch(text):
            return _ordered(digits[1], digits[3], digits[4], order or "YMD")
    except ValueError as error:
        expected = f"format {format!r}" if format else f"order {order or 'YMD'}"
        raise Unreadable(f"a date in {expected} was expected, not {text[:100]!r}: {str(error)[:100]}") from error
    moment: datetime | None = dateparser.parse(text, languages=list(languages), settings=_WITHOUT_GUESSES)
    if moment is None or not re.search(r"\d{4}", text):
        raise Unreadable(f"a whole date was expected, not {text[:100]!r}: say its format if it is one")
    return moment.date()


@lru_cache(4096)  # the dates of a listing are few
def _ordered(first: str, second: str, third: str, order: Order) -> date:
    parts = dict(zip(order, (first, second, third), strict=True))
    if len(parts["Y"]) != 4:
        raise ValueError("the year needs four digits")
    return date(int(parts["Y"]), int(parts["M"]), int(parts["D"]))


def _only_number(text: str) -> re.Match[str]:
    found = list(_NUMBER.finditer(text))
    if len(found) != 1:
        raise Unreadable(f"one number was expected in {text[:100]!r}, there are {len(found)}")
    return found[0]


def _likely_separator(digits: str) -> Separator | None:
    if re.match(r"0[.,]", digits):
        return "." if digits[1] == "." else ","
    likely = get_decimal_separator(digits)
    return "." if likely == "." else "," if likely == "," else None


def _decimal(digits: str, decimal: Separator | None, text: str) -> Decimal:
    """`digits` as a number, if its thousands are grouped with one and the same separator."""
    if not _SHAPE[decimal].fullmatch(digits):
        wanted = f"with the decimal separator {decimal!r}" if decimal else "without decimals"
        raise Unreadable(f"a number {wanted} was expected, not {text[:100]!r}")
    return _exact(digits, decimal)


def _exact(digits: str, decimal: Separator | None) -> Decimal:
    """Digits whose shape was seen to be that of one number."""
    whole, _, rest = digits.partition(decimal) if decimal else (digits, "", "")
    if not whole.isdigit():
        whole = _NO_DIGIT.sub("", whole)
    return Decimal(f"{whole or '0'}.{rest}" if rest else whole)


def _negative(text: str, found: re.Match[str]) -> bool:
    before, after = text[: found.start()], text[found.end() :]
    in_brackets = before.rstrip().endswith("(") and after.lstrip().startswith(")")
    return in_brackets or bool(_MINUS_BEFORE.search(before) or _MINUS_AFTER.match(after))
