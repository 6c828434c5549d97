"""The bounds that docs/reliability.md names are those of the code."""

import importlib
import re
from typing import Any

import msgspec
import pytest

from tests.conftest import ROOT

UNITS = {"KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| `([\w.]+):([\w.]+)` \|", re.MULTILINE)
ROWS = ROW.findall((ROOT / "docs/reliability.md").read_text().partition("## Bounds")[2].partition("\n## ")[0])


def test_there_are_bounds() -> None:
    assert len(ROWS) > 40


@pytest.mark.parametrize(("what", "bound", "module", "name"), ROWS)
def test_a_bound_is_the_codes(what: str, bound: str, module: str, name: str) -> None:
    assert _value(importlib.import_module(module), name) == _number(bound), what


def _value(module: Any, name: str) -> Any:
    owner, _, field = name.rpartition(".")
    if not owner:
        return getattr(module, name)
    kind = getattr(module, owner)
    if not issubclass(kind, msgspec.Struct):
        return getattr(kind, field)
    (found,) = (each for each in msgspec.structs.fields(kind) if each.name == field)
    return found.default_factory() if found.default is msgspec.NODEFAULT else found.default


def _number(bound: str) -> int | None:
    if bound == "none":
        return None
    number, _, unit = bound.partition(" ")
    return int(number.replace(",", "")) * UNITS.get(unit, 1)
