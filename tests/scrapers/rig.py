"""A portal of the test's own, on a real server, with the scraper, the schedules and the door that belong to it."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.scrapers.door import DoorServer
from tests.scrapers.web import Web, html

SCRAPER = """
from scrapers import Entry, portal

@portal("shop", start="{url}/list")
def scrape(visit):
    page = visit()
    while page:
        for row in page.all("li", at_least=1):
            yield Entry(key=row["id"], topic="tools", data={{"name": row.text("b"), "price": row.money("i")}}, url="/x")
        page = page.next("a[rel=next]")
"""


@dataclass
class Rig:
    """`folder` holds schedules.yaml, portals/ and var/."""

    folder: Path
    web: Web
    door: DoorServer
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def var(self) -> Path:
        return self.folder / "var"

    @property
    def schedules(self) -> Path:
        return self.folder / "schedules.yaml"

    def scraper(self, text: str = SCRAPER, name: str = "shop") -> None:
        (self.folder / "portals").mkdir(exist_ok=True)
        (self.folder / "portals" / f"{name}.py").write_text(text.format(url=self.web.url))

    def schedule(self, *settings: str, name: str = "shop", more: str = "") -> None:
        """One source with these settings, each a line of YAML."""
        lines = "".join(f"    {setting}\n" for setting in ("pace: 0", *settings))
        self.schedules.write_text(f"portals: [portals]\nsources:\n  {name}:\n{lines}{more}")

    def shows(self, *prices: str, path: str = "/list", next_path: str | None = None, first: int = 0) -> None:
        """The portal's page from now on: one item for each price."""
        items = "".join(f"<li id=k{first + n}><b>Item {n}</b> <i>€ {price}</i></li>" for n, price in enumerate(prices))
        link = f'<a rel=next href="{next_path}">next</a>' if next_path else ""
        self.web.pages[path] = html(f"<title>Shop</title><h1>Our prices</h1><ul>{items}</ul>{link}")

    def environment(self) -> dict[str, str]:
        own = {"PORTALWIRE_VAR": str(self.var), "PORTALWIRE_SCHEDULES": str(self.schedules)}
        return {**os.environ, "PORTALWIRE_INGEST_URL": self.door.url, **own, **self.environ}

    def command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]

    def run(self, *arguments: str, module: str = "scrapers.run") -> "subprocess.CompletedProcess[str]":
        """The command as a process; its text and exit code."""
        return subprocess.run(
            self.command(module, *arguments),
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )


@pytest.fixture
def rig(tmp_path: Path, web: Web, door: DoorServer) -> Rig:
    rig = Rig(tmp_path, web, door)
    rig.scraper()
    rig.schedule("every: 1h")
    rig.shows("1.50", "2.50", "3.50")
    return rig
