"""A total deadline for a request, whatever it hangs in.

A timeout of a socket starts anew with every byte, so a server that drips holds it for ever. Here a timer shuts the
connection down from outside, and whoever waits for it gets its end.
"""

import contextlib
import socket
import threading
import weakref
from collections.abc import Iterator


class Deadline:
    """Watches the connections of one session, which makes one request at a time."""

    def __init__(self) -> None:
        self.expired = False
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._shaking_hands: socket.socket | None = None  # our own handle of a connection that is being made
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Ends every connection of the session if the block is not over in time; `expired` tells that it did."""
        self.expired = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def began(self, connection: socket.socket) -> None:
        """A connection is made; a TLS handshake may follow, during which the connection has no usable socket."""
        with self._lock:
            self._shaking_hands = connection.dup()
            if self.expired:
                _shut(self._shaking_hands)

    def ready(self, connection: socket.socket | None) -> None:
        """The connection is complete; None when it failed.

        The socket itself is kept, not its HTTPConnection: that one lets go of it before the body is read.
        """
        with self._lock:
            if connection is not None:
                self._sockets.add(connection)
            if self._shaking_hands is not None:
                self._shaking_hands.close()
                self._shaking_hands = None

    def _cut(self) -> None:
        with self._lock:
            self.expired = True
            for open_socket in (self._shaking_hands, *self._sockets):
                if open_socket is not None:
                    _shut(open_socket)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has ended by itself
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS's own would first say goodbye
