"""Set-up where it may not install: a line for each thing; and an old Python can read it, to say that it is old."""

import ast
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, eventually

SCRIPTS = ROOT / "scripts"


def provide(needs: str, empty: Path) -> subprocess.CompletedProcess[str]:
    """`machine.provide` where no program is found, so that it may not install either."""
    code = f"import machine; machine.provide(machine.{needs})"
    environment = {"PATH": str(empty), "PYTHONPATH": str(SCRIPTS)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=30)


def test_a_missing_browser_is_said_with_what_works_without(tmp_path: Path) -> None:
    done = provide("BROWSER", tmp_path)
    browser, driver = done.stderr.splitlines()
    assert "Chromium is missing" in browser
    assert "apt-get install chromium" in browser
    assert "the others run" in browser
    assert "chromedriver is missing" in driver
    assert done.returncode == 0


def test_what_nothing_works_without_ends_set_up(tmp_path: Path) -> None:
    done = provide("ENSUREPIP", tmp_path)
    assert len(done.stderr.splitlines()) == 1
    assert "python3-venv" in done.stderr
    assert done.returncode == 1


def making(folder: Path) -> "subprocess.Popen[str]":
    """Set-up's first step in a project of its own, as a group of processes."""
    command = [sys.executable, "-c", "import setup; setup.guarded(setup.make_venv)"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "scripts")}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)


def made(folder: Path) -> None:
    process = making(folder)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said) == (0, "")
    pip = subprocess.run([folder / ".venv" / "bin" / "pip", "--version"], capture_output=True, text=True, timeout=60)
    assert str(folder) in pip.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(SCRIPTS, tmp_path / "here" / "scripts")
    return tmp_path / "here"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_set_up_goes_on(project: Path, number: int) -> None:
    process = making(project)
    eventually(lambda: (project / ".venv" / "bin" / "python").exists(), what="it has begun")
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=60)
    assert not (project / ".venv" / "bin" / "pip").exists()
    assert said == ("" if number == signal.SIGKILL else "set-up: interrupted; the next one goes on.\n")
    made(project)


def test_a_moved_project_gets_another_environment(project: Path) -> None:
    made(project)
    made(project.rename(project.with_name("there")))


ONCE = """
import sys, setup

def make(lock):
    print(lock)
    if sys.argv[1] == "fails":
        sys.exit("no network")

setup.once("run", ["first.txt", "lock.txt"], make)
"""


def once(project: Path, how: str = "works") -> list[str]:
    """What `setup.once` called `make` with; exits as `make` does."""
    environment = {**os.environ, "PYTHONPATH": str(project / "scripts")}
    command = [sys.executable, "-c", ONCE, how]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == ((1, "no network\n") if how == "fails" else (0, ""))
    return done.stdout.split()


def test_a_step_is_made_once_until_what_it_is_made_from_changes(project: Path) -> None:
    (project / ".venv").mkdir()
    for name in ("first.txt", "lock.txt"):
        (project / name).write_text(name)
    assert [once(project) for _ in range(3)] == [["lock.txt"], [], []]
    for name in ("first.txt", "lock.txt"):
        (project / name).write_text("another")
        assert [once(project) for _ in range(2)] == [["lock.txt"], []]
    moved = project.rename(project.with_name("there"))
    assert [once(moved) for _ in range(2)] == [["lock.txt"], []], "an environment knows where it is"


def test_a_step_that_failed_is_made_again(project: Path) -> None:
    (project / ".venv").mkdir()
    for name in ("first.txt", "lock.txt"):
        (project / name).write_text(name)
    assert [once(project, "fails") for _ in range(2)] == [["lock.txt"]] * 2
    assert not (project / ".venv" / "portalwire-stamps.json").exists()
    assert [once(project) for _ in range(2)] == [["lock.txt"], []]
    (project / "lock.txt").write_text("another")
    assert [once(project, "fails"), once(project)] == [["lock.txt"]] * 2


@pytest.mark.parametrize("name", ["setup.py", "machine.py"])
def test_an_old_python_can_read_it_to_say_that_it_is_old(name: str) -> None:
    ast.parse((SCRIPTS / name).read_text("utf-8"), feature_version=(3, 8))
