"""What README.md and docs/ say can be done, can be done: every command, setting and link is there."""

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from realtime.settings import Settings
from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text("utf-8")
VARIABLE = re.compile(r"PORTALWIRE_[A-Z_]*[A-Z]")
READ = re.compile(rf"[\"']({VARIABLE.pattern})[\"']")
MODULES = sorted(set(re.findall(r"python -m ((?:scrapers|realtime)[a-z_.]*)", README)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_command_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", document.read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_command_explains_itself(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout.lower()


def test_every_option_of_a_run_exists() -> None:
    (row,) = (line for line in README.splitlines() if line.startswith("| `python -m scrapers.run"))
    known = subprocess.run([sys.executable, "-m", "scrapers.run", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert [option for option in re.findall(r"--[a-z-]+", row) if option not in known.stdout] == []


def test_the_settings_are_those_the_code_reads() -> None:
    read = {f"PORTALWIRE_{field.upper()}" for field in Settings.__struct_fields__}
    folders = (ROOT / folder for folder in ("scrapers", "ingest_api", "realtime", "fixtures", "scripts"))
    for file in [*chain.from_iterable(folder.rglob("*.py") for folder in folders), ROOT / "tests" / "real_portals.py"]:
        read.update(READ.findall(file.read_text("utf-8")))
    assert set(VARIABLE.findall(README)) == read
