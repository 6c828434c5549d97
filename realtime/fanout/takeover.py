"""Websockets without a greenlet each: the connection is taken over from the HTTP server after the handshake.

A watcher reads, wsproto parses, and a greenlet lives only while a message is handled.
"""

import binascii
import os
import socket
import weakref
from base64 import b64decode
from typing import Any

import gevent
import structlog
from engineio import exceptions
from engineio import packet as engine_packet
from gevent import get_hub, monkey
from socketio import Server
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import RemoteProtocolError, generate_accept_token

from realtime.fanout.frames import framed
from realtime.fanout.link import Link
from realtime.fanout.sockets import DirectSocket
from realtime.polls import is_packet
from realtime.serving import BoundedHandler

RECEIVE = 65536  # bytes read at a time
UNSENT = 128 * 1024  # bytes that the kernel may hold and not have sent: of a client that does not read, several MB else
_READABLE = 1  # as libev has it
_HANDLER = "portalwire.handler"  # in the environ of a request: a weak reference to who serves it
_KEPT = ("HTTP_COOKIE", "HTTP_AUTHORIZATION", "REMOTE_ADDR")  # of an environ, for as long as the connection lives
_Socket: Any = monkey.get_original("socket", "socket")  # one that does not wait

log = structlog.get_logger()


class Handler(BoundedHandler):
    """Serves HTTP, and gives away the connection of a request that asks for it."""

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[_HANDLER] = weakref.ref(self)
        return environ

    def give(self) -> socket.socket:
        """The connection, as another descriptor: this handler neither reads from it nor answers on it any more."""
        taken: socket.socket = _Socket(fileno=os.dup(self.socket.fileno()))
        self.close_connection = True
        self.rfile.close()  # else the first descriptor stays open with it
        self.socket = None
        return taken


class Takeover:
    """What Engine.IO calls to make a connection a websocket's."""

    def __init__(self, handler: Any, engine: Any) -> None:
        self._connection: DirectSocket = handler.__self__
        self._engine = engine

    def __call__(self, environ: dict[str, Any], _start_response: Any) -> Any:
        """Answers the handshake and lets the websocket run by itself; or answers what is wrong with the request."""
        key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "")
        if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13" or not _is_key(key):
            if not self._connection.connected:
                self._connection.close(wait=False, abort=True)
            return self._engine._bad_request("That is no handshake of a websocket, version 13.")
        taken = environ[_HANDLER]().give()
        kept = {name: environ[name] for name in _KEPT if name in environ}
        environ.clear()
        environ.update(kept)
        websocket = WebSocket(self._engine, self._connection, taken)
        websocket.open(generate_accept_token(key.encode()))
        return ()  # Engine.IO would answer a list as an HTTP response


class WebSocket:
    """A connection's websocket: reads it, and hands on one message after the other."""

    __slots__ = (
        "_connection",
        "_engine",
        "_inbox",
        "_link",
        "_parts",
        "_probed",
        "_reader",
        "_size",
        "_socket",
        "_wire",
    )

    def __init__(self, engine: Any, connection: DirectSocket, taken: socket.socket) -> None:
        taken.setblocking(False)
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT)
        self._engine = engine
        self._connection = connection
        self._socket = taken
        self._link = Link(taken, engine.direct.stalled)
        self._wire = Connection(ConnectionType.SERVER)
        self._parts: list[Any] | None = None  # of a message that is not whole yet
        self._size = 0  # of these parts
        self._inbox: list[str | bytes | None] = []  # None: the end
        self._probed = False
        self._reader: Any = get_hub().loop.io(taken.fileno(), _READABLE)

    def open(self, accept: bytes) -> None:
        """Answers the handshake; a connection that polled until now goes on polling until its client says otherwise."""
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._link.send(upgrade + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        self._connection.upgrading = self._connection.connected
        if not self._connection.connected:
            self._connection.connected = True
            self._attach()
        self._reader.start(self._readable)

    def _attach(self) -> None:
        """From here on everything goes this way. What waited for a poll goes first, without a switch between."""
        self._connection.upgraded, self._connection.upgrading = True, False
        self._connection.attach(self._link)
        self._engine.direct.attached(self._connection)

    @property
    def _attached(self) -> bool:
        return self._connection.link is self._link

    def _readable(self) -> None:
        """Runs in the hub: neither blocks nor switches."""
        try:
            data = self._socket.recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or not self._parse(data):
            self._inbox.append(None)
        if self._inbox:
            self._reader.stop()  # until these are handled: who sends faster than we handle waits
            gevent.spawn(self._work)

    def _parse(self, data: bytes) -> bool:
        """Takes bytes that came; False when the connection must end."""
        try:
            self._wire.receive_data(data)
            return all(self._take(event) for event in self._wire.events())
        except RemoteProtocolError as error:
            return self._close(error.event_hint.code if isinstance(error.event_hint, CloseConnection) else 1002)

    def _take(self, event: Event) -> bool:
        if isinstance(event, TextMessage | BytesMessage):
            return self._gather(event)
        if isinstance(event, Ping):
            self._link.send(self._wire.send(event.response()))
        elif isinstance(event, CloseConnection):
            if not self._connection.closed:  # else it answers our goodbye
                self._link.send(self._wire.send(event.response()))
            return False
        return True

    def _gather(self, event: TextMessage | BytesMessage) -> bool:
        self._size += len(event.data)
        if self._size > self._engine.max_http_buffer_size:
            return self._close(CloseReason.MESSAGE_TOO_BIG)
        if not event.message_finished or self._parts:
            self._parts = [*(self._parts or []), event.data]
            if not event.message_finished:
                return True
        message: Any = event.data if self._parts is None else type(event.data)().join(self._parts)
        self._parts, self._size = None, 0
        if isinstance(message, str) and not is_packet(message):
            return self._close(CloseReason.UNSUPPORTED_DATA)
        if message == "3" and self._attached and not self._connection.closed:
            self._connection.schedule_ping()  # what an idle client sends
        else:
            self._inbox.append(message if isinstance(message, str) else bytes(message))
        return True

    def _close(self, code: int) -> bool:
        self._link.send(self._wire.send(CloseConnection(code=code)))
        return False

    def _work(self) -> None:
        """Handles what came, then reads on."""
        inbox, self._inbox = self._inbox, []
        for message in inbox:
            if message is None:
                self._end()
                return
            try:
                self._handle(message)
            except (exceptions.EngineIOError, ValueError) as error:
                log.info("no packet", error=str(error)[:200])
                self._link.fail()
        self._reader.start(self._readable)

    def _handle(self, message: str | bytes) -> None:
        if self._attached:
            self._connection.receive(engine_packet.Packet(encoded_packet=message))
        elif message == "2probe" and not self._probed:
            self._probed = True
            self._link.send(framed("3probe"))
            self._connection.queue.put(engine_packet.Packet(engine_packet.NOOP))  # ends the poll that waits
        elif message == "5" and self._probed and self._connection.link is None:
            self._attach()
        else:
            self._link.fail()

    def _end(self) -> None:
        """The connection is over, on whoever's word. A failed upgrade leaves its client polling."""
        self._reader.stop()
        self._reader.close()
        self._link.detach()
        self._socket.close()
        if not self._attached:
            self._connection.upgrading = False
            return
        self._connection.close(wait=False, abort=True, reason=self._engine.reason.TRANSPORT_CLOSE)
        self._engine.sockets.pop(self._connection.sid, None)


def take_over(server: Server) -> None:
    """Lets a Socket.IO server's websockets run by themselves. Its HTTP server must use `Handler`, and no TLS: what is
    written to the kernel goes out as it is."""
    server.eio._async = {**server.eio._async, "websocket": Takeover}


def _is_key(key: str) -> bool:
    try:
        return len(b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
