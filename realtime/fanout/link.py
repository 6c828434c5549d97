"""What goes out to one websocket: frames, in order, straight to the kernel as long as it takes them."""

import os
import socket
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import Any

from gevent import get_hub

AT_ONCE = 64  # frames handed to the kernel with one call
MOST = 16 * 1024 * 1024  # bytes that may wait; a connection that is sent more is ended
FINISH = 5.0  # seconds that a client may take to read what was sent before its connection is ended

_WRITABLE = 2  # as libev has it


class Link:
    """One websocket's way out. Everything for it goes through here, so that it arrives in the order of the calls.

    What the kernel does not take waits, as references to frames that many links share. Nothing here blocks or switches
    to another greenlet. `stalled` is told which links have something waiting.
    """

    __slots__ = ("_begun", "_ending", "_fd", "_frames", "_socket", "_stalled", "_timer", "_watcher", "waiting")

    def __init__(self, connection: socket.socket, stalled: set["Link"]) -> None:
        """`connection` is non-blocking, and stays its owner's to close, after `detach`."""
        self._socket = connection
        self._fd = connection.fileno()
        self._stalled = stalled
        self._frames: deque[bytes] | None = None
        self._begun = 0  # bytes of the first waiting frame that the kernel has
        self._watcher: Any = None
        self._timer: Any = None
        self._ending = False
        self.waiting = 0  # bytes that the kernel has not taken

    def send(self, frame: bytes) -> None:
        """Sends a frame, or several in one piece."""
        if self.waiting:
            self._wait(frame)
            return
        try:
            taken = os.write(self._fd, frame)
        except BlockingIOError:
            taken = 0
        except OSError:
            self.fail()
            return
        if taken < len(frame):
            self._begun = taken
            self._wait(frame, taken)

    def drop(self) -> None:
        """Forgets what waits, but for the rest of a frame that has begun."""
        if self._frames and self.waiting:
            begun = self._frames[0] if self._begun else None
            self._frames.clear()
            self.waiting = 0
            if begun is not None:
                self._frames.append(begun)
                self.waiting = len(begun) - self._begun
            else:
                self._rest()

    def finish(self) -> None:
        """Ends the connection once everything was sent, or has waited for too long."""
        if self._ending or self._fd < 0:
            return
        self._ending = True
        self._timer = get_hub().loop.timer(FINISH)
        self._timer.start(self.fail)
        if not self.waiting:
            self._shut(socket.SHUT_WR)

    def fail(self) -> None:
        """Ends the connection now: whoever reads from it finds its end."""
        self._forget()
        self._shut(socket.SHUT_RDWR)

    def detach(self) -> None:
        """Lets the descriptor go, before it is closed: its number will be another connection's."""
        self._forget()
        for watcher in (self._watcher, self._timer):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._watcher = self._timer = None
        self._fd = -1

    def _wait(self, frame: bytes, taken: int = 0) -> None:
        if self.waiting > MOST:
            self.fail()
            return
        if self._frames is None:
            self._frames = deque()
        self._frames.append(frame)
        if not self.waiting:
            if self._watcher is None:
                self._watcher = get_hub().loop.io(self._fd, _WRITABLE)
            self._watcher.start(self._drain)
            self._stalled.add(self)
        self.waiting += len(frame) - taken

    def _drain(self) -> None:
        """The kernel takes more."""
        frames = self._frames
        assert frames is not None, "something waits"
        try:
            taken = os.writev(self._fd, [memoryview(frames[0])[self._begun :], *islice(frames, 1, AT_ONCE)])
        except BlockingIOError:
            return
        except OSError:
            self.fail()
            return
        self.waiting -= taken
        self._begun += taken
        while frames and self._begun >= len(frames[0]):
            self._begun -= len(frames.popleft())
        if not self.waiting:
            self._rest()

    def _rest(self) -> None:
        """Nothing waits any more."""
        self._watcher.stop()
        self._stalled.discard(self)
        if self._ending:
            self._shut(socket.SHUT_WR)

    def _forget(self) -> None:
        self._stalled.discard(self)
        if self._watcher is not None:
            self._watcher.stop()
        self._frames = None
        self._begun = self.waiting = 0

    def _shut(self, how: int) -> None:
        with suppress(OSError):  # its end is here already
            self._socket.shutdown(how)
