"""HTTP as it is served: nobody is waited for who goes on with nothing, and no client's fault is a traceback."""

import io
import logging
import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from gevent import Timeout
from gevent.event import Event
from gevent.pywsgi import WSGIHandler, WSGIServer

from realtime.siblings import Siblings

SOCKETS = "/socket.io"
HEADER = 10.0  # seconds for a handshake, for the first byte of a connection, and for the header of a request
IDLE = 75.0  # seconds that a connection may be kept for a further request
BETWEEN = 30.0  # seconds between two pieces of a body, or for a piece of an answer to be taken
WHOLE = 300.0  # seconds for a body, in however many pieces
PIECE = 64 * 1024  # bytes of an answer

_TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

log = structlog.get_logger()


class _Line(io.RawIOBase):
    """What comes from a client, in pieces that each must come `within` so many seconds, and `until` a moment of the
    monotonic clock."""

    def __init__(self, connection: socket.socket, within: float) -> None:
        self._connection = connection
        self.within = within
        self.until = math.inf
        self.begun = b""  # what another process read of it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self.begun:
            piece, self.begun = self.begun[: len(buffer)], self.begun[len(buffer) :]
            buffer[: len(piece)] = piece
            return len(piece)
        with Timeout(min(self.within, self.until - time.monotonic()), TimeoutError("nothing more came")):
            return self._connection.recv_into(buffer)


class BoundedHandler(WSGIHandler):  # type: ignore[misc]
    """Serves one connection."""

    socket: Any
    rfile: Any
    header, idle, between, whole = HEADER, IDLE, BETWEEN, WHOLE

    def __init__(self, connection: socket.socket, address: Any, server: WSGIServer) -> None:
        self.line = _Line(connection, self.between)
        self._served = False
        super().__init__(connection, address, server, io.BufferedReader(self.line))

    def handle_one_request(self) -> Any:
        try:
            with Timeout(self.idle if self._served else self.header, TimeoutError("no request came")):
                if not self.rfile.peek(1):
                    return None
        except (OSError, ValueError):  # it is over, on whoever's word
            return None
        self._served = True
        self.line.until = math.inf
        return super().handle_one_request()

    def read_requestline(self) -> str:
        with Timeout(self.header, TimeoutError("half a request line")):
            line: str = super().read_requestline()
            owner = self.server.siblings.owner(line) if self.server.siblings else None
            if owner is None:
                return line
            begun = line.encode("latin-1") + self.rfile.peek()
        connection, self.socket = self.socket, None
        self.rfile.close()
        self.server.siblings.hand_on(owner, connection, self.client_address, begun)
        return ""

    def read_request(self, line: str) -> bool:
        with Timeout(self.header, TimeoutError("half a header")):
            read = bool(super().read_request(line))
        self.line.until = time.monotonic() + self.whole
        return read

    def run_application(self) -> None:
        if self.environ["PATH_INFO"].startswith(SOCKETS):  # ends with its client, who comes back elsewhere
            super().run_application()
            return
        with self.server.answering():
            super().run_application()

    def _sendall(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE):
            with Timeout(self.between, TimeoutError("the answer is not taken")):
                super()._sendall(data[start : start + PIECE])

    def handle_error(self, kind: Any, error: Any, traceback: Any) -> None:
        if not isinstance(error, TimeoutError):
            super().handle_error(kind, error, traceback)
        self.close_connection = True

    def _handle_client_error(self, error: Exception) -> tuple[str, bytes]:
        if not isinstance(error, ValueError | OSError):
            log.error("request failed", exc_info=error)
        return ("408", _TOO_LATE) if isinstance(error, TimeoutError) else ("400", _BAD)


class Server(WSGIServer):  # type: ignore[misc]
    """Accepts connections; with `ssl_context` each is encrypted first."""

    siblings: Siblings | None = None  # where a port is several processes'
    logger = logging.getLogger("geventwebsocket")  # else it makes one that writes as it likes

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._answering = 0
        self._idle = Event()
        self._idle.set()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """A request is under way."""
        self._answering += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()

    def end(self, grace: float) -> None:
        """Takes no more connections, and waits so many seconds for the requests that are under way. The `stop` that is
        there waits for those of a pool, and there is none."""
        self.stop()
        if not self._idle.wait(grace):
            log.warning("requests are cut", requests=self._answering)

    def wrap_socket_and_handle(self, connection: Any, address: Any) -> None:
        try:
            with Timeout(self.handler_class.header, TimeoutError("half a handshake")):
                encrypted = self.wrap_socket(connection, **self.ssl_args)
        except (OSError, ssl.SSLError) as error:  # plain HTTP, a scan, a certificate that is not trusted there
            log.debug("no handshake", error=str(error))
            return
        try:
            self.handle(encrypted, address)
        finally:
            encrypted.close()

    def take(self, connection: socket.socket, address: Any, begun: bytes) -> None:
        """Serves a connection that another process accepted, and `begun` to read."""
        with connection:
            handler = self.handler_class(connection, address, self)
            handler.line.begun = begun
            handler.handle()
