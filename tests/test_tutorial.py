"""docs/tutorial.md, done as it says: its files written, its commands run, its output compared."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scrapers.config import load
from tests.conftest import ROOT, Server
from tests.demo_fixture import Demo

FENCE = re.compile(r"^```(\S+)(?: ([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROJECT = ("scrapers", "ingest_api", "fixtures", "tests", "schedules.yaml", "pyproject.toml")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what else stands on the fence, its text."""

    language: str
    about: str
    text: str


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project to write a portal into."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in PROJECT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


def blocks(server: Server, demo: Demo) -> Iterator[Block]:
    """The tutorial's, with our servers' addresses for those of `make run`."""
    text = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
    text = text.replace("http://127.0.0.1:5000", server.url).replace("http://127.0.0.1:5050", demo.url)
    return (Block(language, about or "", body) for language, about, body in FENCE.findall(text))


def test_the_tutorial_works(project: Path, server: Server, demo: Demo) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PORTALWIRE_INGEST_URL": server.url,
        "PORTALWIRE_DEMO_PORT": str(demo.port),
    }
    printed = ""
    for block in blocks(server, demo):
        if block.language == "sh":
            printed = run(block, project, environment)
        elif block.language == "text":
            assert_printed(block.text, printed)
        elif block.about.startswith(">> "):
            with (project / block.about.removeprefix(">> ")).open("a", encoding="utf-8") as file:
                file.write(block.text)
        elif block.about:
            (project / block.about).write_text(block.text, "utf-8")
        else:
            assert_valid_source(block.text, project)


def run(block: Block, project: Path, environment: dict[str, str]) -> str:
    """What the commands print, errors too."""
    done = subprocess.run(
        ["bash", "-euc", block.text], cwd=project, env=environment, capture_output=True, text=True, timeout=120
    )
    printed = done.stdout + done.stderr
    assert bool(done.returncode) == (block.about == "fails"), printed
    return printed


def assert_printed(expected: str, printed: str) -> None:
    """Every line is one of the output's; `…` stands for anything."""
    for line in expected.splitlines():
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        assert re.search(f"^{pattern}\\s*$", printed, re.MULTILINE), f"{line!r} is not in:\n{printed}"


def assert_valid_source(text: str, project: Path) -> None:
    """The block may stand in schedules.yaml."""
    file = project / "more.yaml"
    file.write_text(f"sources:\n{text}", "utf-8")
    assert load(file, {}).sources
