"""Numbers in data: JSON numbers, and text that is nothing but a number, taken exactly."""

import re
from decimal import Context, Decimal, Inexact
from typing import Any

DIGITS = 20  # places before the point and after it; what has more is no number to us

_PLAIN = re.compile(rf"[+-]?[0-9]{{1,{DIGITS}}}(\.[0-9]{{1,{DIGITS}}})?")

# Sums of up to 10^20 numbers of this size fit; should one not, it is an error and not a rounding.
_EXACT = Context(prec=4 * DIGITS, traps=[Inexact])


def number(value: Any) -> Decimal | None:
    """A value of `data` as a number, or None when it is none: `512.4`, `"512.40"`; not `true`, `"1,299"` or `1e99`."""
    if isinstance(value, str):
        return Decimal(value) if _PLAIN.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = Decimal(repr(value))  # the shortest text that is this number, which is what JSON carried
    places = found.as_tuple().exponent
    return found if isinstance(places, int) and places >= -DIGITS and found.adjusted() < DIGITS else None


def approximate(value: Any) -> float | None:
    """The same to sort by: exact to 15 digits."""
    if isinstance(value, str):
        return float(value) if _PLAIN.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < 10**DIGITS else None


def added(one: Decimal, other: Decimal) -> Decimal:
    """The exact sum."""
    return _EXACT.add(one, other)


def text(value: Decimal) -> str:
    """As it is stored and sent: no exponent."""
    return format(value, "f")
