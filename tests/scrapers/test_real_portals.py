"""The real portals' pages, read by the tests' own scrapers: every entry, none more, each with a key of its own."""

import ast
from pathlib import Path

import msgspec
import pytest

from scrapers.clean import cleaned
from tests.real_portals import NAMES, SCHEDULES, compare, real_portal

FILES = sorted(SCHEDULES.parent.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_and_none_more(name: str, tmp_path: Path) -> None:
    real = real_portal(name, tmp_path)
    visit = real.visit()
    entries = [cleaned(entry, real.portal.start) for entry in real.portal.scrape(visit)]
    compare(real.expected, msgspec.to_builtins(entries))
    assert len({entry.key for entry in entries}) == len(entries)
    assert (visit.pages, visit.missed) == (1, 0)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_portal_is_a_few_lines(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert ast.get_docstring(ast.parse("\n".join(lines)))
    assert len(lines) <= 20
