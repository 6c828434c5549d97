"""The real portals' pages, read by the tests' own scrapers: every entry, none more, each with a key of its own."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from scrapers.clean import Cleaner
from tests.conftest import ROOT
from tests.real_portals import FOLDER, NAMES, SCHEDULES, compare, real_portal

FILES = sorted(SCHEDULES.parent.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_and_none_more(name: str, tmp_path: Path) -> None:
    real = real_portal(name, tmp_path)
    visit = real.visit()
    entries = [Cleaner(real.portal.start).cleaned(entry) for entry in real.portal.scrape(visit)]
    compare(real.expected, msgspec.to_builtins(entries))
    assert len({entry.key for entry in entries}) == len(entries)
    assert (visit.pages, visit.missed) == (1, 0)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_portal_is_a_few_lines(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert ast.get_docstring(ast.parse("\n".join(lines)))
    assert len(lines) <= 20


@pytest.mark.parametrize("manner", [[], ["-n", "2"]], ids=["alone", "by two"])
def test_where_the_pages_are_missing_that_is_said_aloud(manner: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in (FOLDER, "CI")}
    test = f"{Path(__file__).relative_to(ROOT)}::test_every_entry_and_none_more"
    command = [sys.executable, "-m", "pytest", *manner, test]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    (said,) = (line for line in done.stdout.splitlines() if FOLDER in line)
    assert said.startswith(f"{len(NAMES)} skipped: ")
