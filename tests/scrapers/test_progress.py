"""How far a run is: on a terminal a line that moves, in a log now and then a line."""

import io
import os
import pty
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from rich.console import Console
from structlog.testing import CapturingLogger

from ingest_api.contract import Entry
from scrapers import progress
from scrapers.config import Source
from scrapers.execute import rehearse
from scrapers.fetch.http import HttpVisit
from scrapers.fetch.limits import Politeness
from scrapers.portal import Portal
from scrapers.progress import Progress
from scrapers.visit import Visit
from tests.conftest import ROOT
from tests.scrapers.rig import Rig


def shown(terminal: int, until: bytes) -> bytes:
    """What a terminal was sent until that came, or its other side was closed."""
    sent = b""
    with suppress(OSError):  # EIO: nobody holds the other side any more
        while until not in sent and (more := os.read(terminal, 4096)):
            sent += more
    return sent


def test_a_terminal_shows_how_far_the_run_is(rig: Rig) -> None:
    go_on = threading.Event()
    rig.shows("1.50", "2.50", "3.50", next_path="/more")
    rig.shows("4.50", path="/more", first=3)
    more = rig.web.pages["/more"]
    rig.web.pages["/more"] = lambda request: (go_on.wait(30), more(request), None)[-1]
    rig.environ["TERM"] = "xterm"
    terminal, its_side = pty.openpty()
    process = subprocess.Popen(
        rig.command("scrapers.run", "shop"), cwd=ROOT, env=rig.environment(), stdout=subprocess.PIPE, stderr=its_side
    )
    try:
        os.close(its_side)
        assert b"3 entries, 1 pages" in shown(terminal, b"3 entries, 1 pages")
        go_on.set()
        said = shown(terminal, b"shop: complete, 4 entries on 2 pages")
        assert b"shop: complete, 4 entries on 2 pages" in said
        assert b"\x1b[2K" in said, "the line that moved was cleared"
        out, _ = process.communicate(timeout=30)
    finally:
        go_on.set()
        process.kill()
        process.wait()
        os.close(terminal)
    assert (process.returncode, out) == (0, b"")


def test_a_log_gets_a_line_now_and_then(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def scrape(visit: Visit) -> Iterator[Entry]:
        for row in visit().all("li"):
            yield Entry(key=row["id"], data={})

    portal = Portal("shop", f"{rig.web.url}/list", scrape, "1", "", Path(__file__))
    screen, logged = Console(file=io.StringIO()), CapturingLogger()
    monkeypatch.setattr(progress, "EVERY", 0)
    monkeypatch.setattr(progress, "log", logged)
    with (
        closing(HttpVisit("shop", portal.start, rig.var, politeness=Politeness(pace=0))) as visit,
        Progress(screen, visit, None) as shows,
    ):
        rehearse(Source(name="shop"), portal, visit, rig.var, "run-1", show=shows.show)
    assert [call.method_name for call in logged.calls] == ["info"] * 3
    assert [call.args for call in logged.calls] == [("reading",)] * 3
    assert [call.kwargs for call in logged.calls] == [{"seen": seen, "pages": 1} for seen in (1, 2, 3)]
    assert screen.file.getvalue() == ""  # type: ignore[attr-defined]
