"""Process groups that end with us, however we end."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

# The shell blocks until the pipe that only we hold is closed. The kernel closes it on every exit, kill -9 included.
_SCRIPT = "trap '' HUP INT TERM; read _; kill -KILL 0"
_PAGE = os.sysconf("SC_PAGE_SIZE")
_STAT_GROUP, _STAT_RESIDENT = 2, 21  # fields of /proc/PID/stat, counted after the command's closing parenthesis


class Reaper:
    """The leader of a new process group: start children with `process_group=reaper.group`.

    They end when `end` is called or when this process is gone. A Chromium whose driver was killed lives on otherwise.
    """

    def __init__(self) -> None:
        self._leader = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )

    @property
    def group(self) -> int:
        return self._leader.pid

    def end(self) -> None:
        """Kills the whole group. Safe to call twice."""
        if self._leader.returncode is not None:
            return
        with suppress(ProcessLookupError):  # until it is waited for, the leader keeps the group's number from reuse
            os.killpg(self.group, signal.SIGKILL)
        if self._leader.stdin:
            self._leader.stdin.close()
        self._leader.wait()

    def memory(self) -> int:
        """Bytes of memory that the group holds, shared pages counted once per process; 0 where there is no /proc."""
        return sum(resident for group, resident in _processes() if group == self.group)


def _processes() -> list[tuple[int, int]]:
    """(process group, resident bytes) of every process."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            found.append((int(fields[_STAT_GROUP]), int(fields[_STAT_RESIDENT]) * _PAGE))
    return found
