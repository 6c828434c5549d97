"""kill −9 of the server between any two batches of a run: nothing lost, nothing doubled, no offset left out."""

from pathlib import Path

import pytest

from ingest_api.contract import Entry
from scrapers import execute, harvest
from scrapers.catalogue import Catalogue
from scrapers.config import Settings
from scrapers.fetch import Fetcher
from tests.conftest import ROOT, Server
from tests.demo_fixture import Demo
from tests.reader import Reader

BATCH = 20  # entries, so that a run of the demo portal has several batches
POINTS = 7  # batches after which the server is killed, each in a run of its own


def test_killed_between_any_two_batches(
    server: Server, demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(harvest, "BATCH", BATCH)
    monkeypatch.setenv("PORTALWIRE_DEMO_PORT", str(demo.port))
    settings = Settings(schedules=ROOT / "schedules.yaml", var=tmp_path / "var", ingest_url=server.url)
    for point in range(POINTS):
        demo.step(2, "vendor_x")
        run(server, settings, kill_after=point * BATCH)
    for _ in range(2):  # what vanished is removed after two complete runs without it
        run(server, settings, kill_after=None)

    with Reader(server.url) as reader:
        head = reader.join("vendor_x", history=True)["offset"]
        reader.reach("vendor_x", head)
        assert reader.violations == []
    log = reader.changes["vendor_x"]
    assert [change["offset"] for change in log] == list(range(1, head + 1))
    assert reader.data("vendor_x") == demo.truth("vendor_x")
    assert versions_without_gaps(log)
    assert {"new", "changed", "removed"} <= {change["kind"] for change in log}


def run(server: Server, settings: Settings, kill_after: int | None) -> None:
    """One run; the server is killed after so many entries were taken, and comes back when the portal is read."""
    taken = 0

    def show(_entry: Entry) -> None:
        nonlocal taken
        if taken == kill_after:
            server.kill()
        taken += 1

    catalogue = Catalogue.read(settings.schedules)
    source = catalogue.source("vendor_x")
    portal = catalogue.portal(source)
    with Fetcher(source, portal.start, settings.var) as fetcher:
        visit = fetcher.visit()
        summary = execute.deliver(
            source,
            portal,
            visit,
            settings,
            harvest.new_run_id(),
            show=show,
            read=lambda _report: server.start() if kill_after is not None else None,
            patience=60,
        )
        visit.close()
    assert summary.exit_code == 0, summary.lines()


def versions_without_gaps(log: list[dict[str, object]]) -> bool:
    versions: dict[object, list[object]] = {}
    for change in log:
        versions.setdefault(change["key"], []).append(change["version"])
    return all(found == list(range(1, len(found) + 1)) for found in versions.values())
