"""The real portals' pages, which lie outside the project: where they are, and what they hold."""

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scrapers.catalogue import Catalogue
from scrapers.config import Source
from scrapers.fetch.recorded import INDEX, RecordedVisit
from scrapers.portal import Portal

SCHEDULES = Path(__file__).parent / "portals_real" / "schedules.yaml"
FOLDER = "PORTALWIRE_REAL_PORTALS"
NAMES = ("alaskactapp", "ca1", "ca9_p", "cal", "delaware", "me", "minnag", "vt")


@dataclass(frozen=True)
class RealPortal:
    """One of them, with its page as a recording."""

    source: Source
    portal: Portal
    recording: Path
    expected: list[dict[str, str]]  # url, date, title, docket

    def visit(self) -> RecordedVisit:
        return RecordedVisit(self.recording)


def real_portal(name: str, folder: Path) -> RealPortal:
    """The portal as the tests' own schedules.yaml reads it; its recording is written to `folder`.

    Skips at home, and fails in CI, where the pages are missing.
    """
    pages = _pages()
    index = json.loads((pages / "index.json").read_text("utf-8"))
    assert set(index) == set(NAMES), f"{pages} holds other portals than the tests know"
    page = index[name]
    record = {"url": page["url"], "file": str(pages / name / page["page"])}
    (folder / INDEX).write_text(json.dumps([record]), "utf-8")
    catalogue = Catalogue.read(SCHEDULES)
    source = catalogue.source(name)
    expected = json.loads((pages / name / "expected.json").read_text("utf-8"))
    assert len(expected) == page["entries"]
    return RealPortal(source, catalogue.portal(source), folder, expected)


def compare(expected: list[dict[str, str]], entries: list[dict[str, Any]]) -> None:
    """Every (url, date) and none more; dockets where both have one; titles by the words they share."""
    assert Counter((entry["url"], entry["data"]["date"]) for entry in entries) == Counter(
        (case["url"], case["date"]) for case in expected
    )
    for case in expected:
        same = [entry["data"] for entry in entries if entry["url"] == case["url"]]
        assert any(_alike(case["title"], data["title"]) for data in same), (case, same)
        assert any(data.get("docket", case["docket"]) == case["docket"] for data in same), (case, same)


def _alike(one: str, other: str) -> bool:
    words, others = (set(re.findall(r"[a-z0-9]{2,}", title.lower())) for title in (one, other))
    return 3 * len(words & others) >= len(words)


def _pages() -> Path:
    given = os.environ.get(FOLDER)
    if given:
        return Path(given)
    message = f"the real portals' pages are not tested: {FOLDER} does not say where they are"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
