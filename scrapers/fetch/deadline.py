"""A total deadline for a request, whatever it hangs in.

A timeout of a socket starts anew with every byte, so a server that drips holds it for ever. Here a watch shuts the
connection down from outside, and whoever waits for it gets its end.
"""

import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Iterator


class Deadline:
    """Watches the connections of one session, which makes one request at a time. Close it."""

    def __init__(self) -> None:
        self.expired = False
        self._until: float | None = None  # of the request under way, by the monotonic clock
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._shaking_hands: socket.socket | None = None  # our own handle of a connection that is being made
        self._change = threading.Condition()
        self._looks_at = 0.0  # when the watch looks next; infinite while it waits to be told
        self._watch: threading.Thread | None = None
        self._closed = False

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Ends every connection of the session if the block is not over in time; `expired` tells that it did."""
        with self._change:
            self.expired = False
            self._until = time.monotonic() + seconds
            if self._until < self._looks_at:
                self._change.notify()
        if self._watch is None:
            self._watch = threading.Thread(target=self._watching, daemon=True)
            self._watch.start()
        try:
            yield
        finally:
            with self._change:
                self._until = None

    def close(self) -> None:
        """Ends the watch; another request would begin a new one."""
        with self._change:
            self._closed = True
            self._change.notify()
        if self._watch:
            self._watch.join()
        self._watch, self._closed = None, False

    def began(self, connection: socket.socket) -> None:
        """A connection is made; a TLS handshake may follow, during which the connection has no usable socket."""
        with self._change:
            self._shaking_hands = connection.dup()
            if self.expired:
                _shut(self._shaking_hands)

    def ready(self, connection: socket.socket | None) -> None:
        """The connection is complete; None when it failed.

        The socket itself is kept, not its HTTPConnection: that one lets go of it before the body is read.
        """
        with self._change:
            if connection is not None:
                self._sockets.add(connection)
            if self._shaking_hands is not None:
                self._shaking_hands.close()
                self._shaking_hands = None

    def _watching(self) -> None:
        """One thread for all requests, which is not woken for each: a request's deadline is later than the one before,
        and then is early enough to look."""
        with self._change:
            while not self._closed:
                now = time.monotonic()
                if self._until is not None and self._until <= now:
                    self._until = None
                    self._cut()
                self._looks_at = float("inf") if self._until is None else self._until
                self._change.wait(None if self._until is None else self._until - now)

    def _cut(self) -> None:
        self.expired = True
        for open_socket in (self._shaking_hands, *self._sockets):
            if open_socket is not None:
                _shut(open_socket)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would first say goodbye
