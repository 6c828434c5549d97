"""The project's own files: no address of this machine or of a registry in them, and locks that fit pyproject.toml."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

MADE = {"node_modules", "vendor", "var", "__pycache__", "build", "portalwire.egg-info"}
HIDDEN_OURS = {".ci", ".gitignore"}
HOSTS = (
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js.org",
    "npm" + "js.com",
    "debian" + ".org",
    "Artifact" + "ory",
)
MACHINE = re.compile(r"(?<![\w.])/(?:root|work|home/\w+)/")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def files(folder: Path = ROOT) -> Iterator[Path]:
    """What is the project's own: neither made nor hidden by a tool."""
    for path in folder.iterdir():
        if path.name in MADE or (path.name.startswith(".") and path.name not in HIDDEN_OURS):
            continue
        if path.is_dir():
            yield from files(path)
        elif ".db" not in path.suffixes:
            yield path


def test_no_file_names_a_registry_or_a_path_of_this_machine() -> None:
    found = []
    for file in files():
        text = file.read_bytes().decode("utf-8", "replace")
        found += [f"{file}: {host}" for host in HOSTS if host in text]
        found += [f"{file}: {match.group()}" for match in MACHINE.finditer(text)]
    assert found == []


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_the_lock_fits_what_the_project_asks_for(lock: str) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE))
    asked = [
        Requirement(line) for line in [*PROJECT["project"]["dependencies"], *group("build" if lock == "run" else lock)]
    ]
    assert [
        str(need) for need in asked if not need.specifier.contains(pins.get(canonicalize_name(need.name), ""))
    ] == []


def group(name: str) -> Iterator[str]:
    """The requirements of a dependency group, those of the groups it includes too."""
    for line in PROJECT["dependency-groups"][name]:
        if isinstance(line, dict):
            yield from group(line["include-group"])
        else:
            yield line


@pytest.mark.parametrize("lock", ["run", "dev", "npm"])
def test_every_pin_has_its_hashes(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8").replace("\\\n", "")
    pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert pins
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []


def test_both_locks_hold_the_same_versions() -> None:
    run, dev = (
        set(re.findall(r"^[\w.-]+==\S+", (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8"), re.MULTILINE))
        for lock in ("run", "dev")
    )
    assert run <= dev
