"""The values that a filter compares: text, numbers, true and false, whichever way the data spells them."""

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

Literal = str | Decimal | bool

_NUMBER = re.compile(r"[+-]?\d{1,60}(\.\d{1,60})?([eE][+-]?\d{1,4})?", re.ASCII)


def _exact(text: str) -> Decimal | float:
    """A JSON number with a fraction as it was written: 0.1 is a tenth, not the nearest binary number."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return float(text)


_decoder = msgspec.json.Decoder(dict[str, Any], float_hook=_exact)


def fields_of(data: str) -> dict[str, Any]:
    """An entry's data (JSON text) as values to compare."""
    fields: dict[str, Any] = _decoder.decode(data)
    return fields


def number(value: Any) -> Decimal | float | int | None:
    """What `value` is as a number: one of JSON's, or a text that spells a decimal one."""
    if isinstance(value, str):
        return Decimal(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return value


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[Any]:
    """The values that `path` leads to: of a list those of every item; nothing where there is nothing, or null."""
    if isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif path:
        if isinstance(value, dict):
            yield from leaves(value.get(path[0]), path[1:])
    elif value is not None:
        yield value


def written(value: Literal) -> str:
    """A literal as the canonical text has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    whole, _, fraction = format(value, "f").partition(".")
    sign = "-" if whole.startswith("-") and value else ""
    fraction = fraction.rstrip("0")
    return sign + (whole.lstrip("-0") or "0") + ("." + fraction if fraction else "")
