"""Process groups that end with us, however we end."""

import os
import signal
import subprocess
from contextlib import suppress

from scrapers.processes import processes

# The shell blocks until the pipe that only we hold is closed. The kernel closes it on every exit, kill -9 included.
_SCRIPT = "trap '' HUP INT TERM; read _; kill -KILL 0"


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
        return sum(process.memory for process in processes() if process.group == self.group)
