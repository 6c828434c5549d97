"""Several server processes on one port: the parent listens, its children accept; one that dies is replaced.

The socket is the parent's, so that a connection made while a child dies waits for another one. Without its parent a
child ends too.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import gevent
import structlog
from gevent.event import Event

STEADY = 5.0  # seconds; a child that lived so long is replaced at once
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0  # seconds before a child that did not is replaced
PATIENCE = 10.0  # seconds between asking children to end and ending them
WRONG_SETTINGS = 2  # the exit code of a child that no other try will help

_PR_SET_PDEATHSIG = 1  # linux/prctl.h

log = structlog.get_logger()


class Processes:
    """`count` children that run `command` of their number, each with these file descriptors."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        environment: Mapping[str, str],
        count: int,
        descriptors: Sequence[int],
    ) -> None:
        self._command = command
        self._environment = environment
        self._descriptors = descriptors
        self._count = count
        self._children: dict[int, subprocess.Popen[bytes]] = {}  # number -> process
        self._ending = Event()
        self._code = 0

    def run(self) -> int:
        """Keeps the children running until `stop`; returns the exit code."""
        gevent.joinall([gevent.spawn(self._keep, number) for number in range(self._count)])
        return self._code

    def stop(self) -> None:
        """Asks the children to end, then ends them."""
        if self._ending.is_set():
            return
        self._ending.set()
        for child in self._children.values():
            child.terminate()
        gevent.spawn_later(PATIENCE, self._kill)

    def _kill(self) -> None:
        for child in self._children.values():
            child.kill()

    def _keep(self, number: int) -> None:
        """Runs one child, and another in its place, for ever."""
        quick = 0
        while not self._ending.is_set():
            began = time.monotonic()
            child = self._children[number] = self._start(number)
            if self._ending.is_set():  # told to end while this one was being started
                child.terminate()
            code = child.wait()
            del self._children[number]
            lived = time.monotonic() - began
            if self._ending.is_set():
                break
            if code == WRONG_SETTINGS:
                self._code = code
                self.stop()
                break
            quick = 0 if lived > STEADY else quick + 1
            log.error("process ended", pid=child.pid, code=code, lived=round(lived, 1))
            self._ending.wait(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**quick) if quick else 0)

    def _start(self, number: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command(number),
            env=self._environment,
            pass_fds=self._descriptors,
            preexec_fn=partial(_end_with, os.getpid()),
        )


def _end_with(parent: int) -> None:
    """Runs in the child: a SIGTERM when the parent is gone (Linux; elsewhere a killed parent leaves its children)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
