"""Processes that must not outlive us: also a browser whose driver was killed becomes our child, and is ended."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
PATIENCE = 3.0  # seconds between asking an orphan to end and ending it


def adopt() -> None:
    """From now on a descendant that loses its parent becomes our child (Linux; elsewhere honcho's groups must do)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def overseen(run: Callable[[], int]) -> int:
    """The exit code of `run` in a process of its own. Whichever of the two is killed, the other ends what is left: who
    runs it learns of our death by a SIGTERM."""
    adopt()
    pid = os.fork()
    if pid == 0:
        end_with_parent()
        sys.exit(run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(pid, number))
    end_with_parent()
    _, status = os.waitpid(pid, 0)
    end()
    return abs(os.waitstatus_to_exitcode(status))


def end_with_parent() -> None:
    """When our parent is killed, we get a SIGTERM."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def bury(besides: int) -> None:
    """Takes note of adopted processes that ended, so that no zombies gather; `besides` is waited for elsewhere."""
    while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != besides:
        os.waitpid(ended.si_pid, 0)


def end() -> None:
    """Ends whatever became our child, and what becomes so by that, each gently first."""
    met: dict[int, float] = {}  # process id -> when we first met it
    while orphans := _children():
        for pid in orphans:
            patient = time.monotonic() - met.setdefault(pid, time.monotonic()) < PATIENCE
            os.kill(pid, signal.SIGTERM if patient else signal.SIGKILL)
        time.sleep(0.1)
        for pid in orphans:
            os.waitpid(pid, os.WNOHANG)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _children() -> set[int]:
    """Our child processes, the ended ones too until they are waited for."""
    me = str(os.getpid())
    statuses = ((entry.name, _read(entry / "stat")) for entry in Path("/proc").glob("[0-9]*"))
    return {int(pid) for pid, status in statuses if status.rpartition(")")[2].split()[1:2] == [me]}


def _read(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return ""
