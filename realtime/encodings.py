"""JSON and MessagePack on one server: a client speaks one of them in its first packet, and is answered in it.

Both are in the same rooms. A packet is made as JSON text once, and as MessagePack once if some client wants it; which
of the two a client is sent is decided where Engine.IO sends. What is no packet ends its connection, without a word in
the log that anybody could write there at will.
"""

from contextvars import ContextVar
from typing import Any

import msgspec
import structlog
from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio import Server
from socketio import packet as socketio_packet

from realtime import unreadable

ATTACHMENTS = 8  # binary parts of one packet; no event of ours takes any
_BINARY = (socketio_packet.BINARY_EVENT, socketio_packet.BINARY_ACK)
_ACKS = (socketio_packet.ACK, socketio_packet.BINARY_ACK)
_LISTS = (socketio_packet.EVENT, socketio_packet.ACK, *_BINARY)
_RESERVED = ("connect", "disconnect", "*")  # handlers of ours that are no events: a client's must not go by these names
_PACKED = "portalwire.messagepack"  # in the environ of a connection that speaks it

log = structlog.get_logger()

answered: ContextVar[bool] = ContextVar("answered", default=True)
"""Whether the event that this greenlet read last came with a wish for an acknowledgement."""


class BadPacket(ValueError):
    """These bytes are no Socket.IO packet."""


class Encoded(str):
    """A packet as JSON text, and its MessagePack as soon as that is asked for."""

    __slots__ = ("_body", "_head", "_packed")
    _head: dict[str, Any]
    _body: str | None
    _packed: bytes | None

    def __new__(cls, text: str, head: dict[str, Any], body: str | None) -> "Encoded":
        self = super().__new__(cls, text)
        self._head = head
        self._body = body
        self._packed = None
        return self

    @property
    def packed(self) -> bytes:
        if self._packed is None:
            data = {} if self._body is None else {"data": msgspec.json.decode(self._body)}
            self._packed = msgspec.msgpack.encode({**self._head, **data})
        return self._packed


class _Packed(msgspec.Struct):
    """A packet in MessagePack, as socket.io-msgpack-parser writes it: what is undefined there is an extension here."""

    type: int
    nsp: str
    data: Any = None
    id: Any = None


class Packet(socketio_packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet in either encoding. Raises BadPacket for what is none."""

    uses_binary_events = False  # we send nothing binary, so nothing needs to be searched for it

    def encode(self) -> Encoded:
        head = {"type": self.packet_type, "nsp": self.namespace or "/"}
        text = str(self.packet_type)
        if head["nsp"] != "/":
            text += f"{self.namespace},"
        if self.id is not None:
            head["id"] = self.id
            text += str(self.id)
        body = None if self.data is None else self.json.dumps(self.data)
        return Encoded(text + (body or ""), head, body)

    def decode(self, encoded_packet: str | bytes) -> int:
        """Reads a packet; returns how many binary attachments follow."""
        try:
            attachments = self._decode(encoded_packet)
        except (ValueError, TypeError, RecursionError, msgspec.DecodeError) as error:
            raise BadPacket(str(error)) from error
        self._check()
        if attachments > ATTACHMENTS or (attachments == 0) == (self.packet_type in _BINARY):
            raise BadPacket(f"{attachments} attachments")
        answered.set(self.id is not None)
        return attachments

    def add_attachment(self, attachment: Any) -> bool:
        if not isinstance(attachment, bytes):
            raise BadPacket("an attachment is missing")
        try:
            complete: bool = super().add_attachment(attachment)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise BadPacket(str(error)) from error
        if complete:
            self._check()
            answered.set(self.id is not None)
        return complete

    def _decode(self, encoded_packet: str | bytes) -> int:
        if isinstance(encoded_packet, str):
            count: int = super().decode(encoded_packet)
            return count
        try:
            packed = msgspec.msgpack.decode(encoded_packet, type=_Packed, ext_hook=_undefined)
        except (UnicodeDecodeError, RecursionError):
            rest, data = unreadable.packet(encoded_packet)
            packed = msgspec.msgpack.decode(rest, type=_Packed)
            packed.data = data
        if packed.id is not None and type(packed.id) is not int:
            raise BadPacket("an id is a number")
        self.packet_type, self.namespace, self.data, self.id = packed.type, packed.nsp, packed.data, packed.id
        return 0

    def _check(self) -> None:
        """What the library trusts its clients with."""
        kind, data = self.packet_type, self.data
        if kind in _LISTS:
            fits = isinstance(data, list) and (kind in _ACKS or _named(data))
            if fits and kind not in _ACKS and data[0] in _RESERVED:
                data[0] = f"a client's {data[0]}"  # which is answered as any event that there is not
        elif kind == socketio_packet.CONNECT:
            fits = data is None or isinstance(data, dict)
        else:
            fits = kind == socketio_packet.DISCONNECT
        if not fits:
            raise BadPacket(f"packet {kind} with {type(data).__name__}")


def _undefined(_code: int, _data: memoryview) -> None:
    """JavaScript's undefined; other extensions mean nothing to us either."""


def _named(data: list[Any]) -> bool:
    return bool(data) and isinstance(data[0], str)


def speaks_messagepack(server: Server, connection: str) -> bool:
    """Whether a connection (its Engine.IO sid) speaks MessagePack; false until its first packet came."""
    return bool(server.environ.get(connection, {}).get(_PACKED))


def speak_both(server: Server) -> None:
    """Makes a server that reads and writes `Packet` answer each client in the encoding that it speaks."""
    engine = server.eio
    read, send = engine.handlers["message"], engine.send_packet

    def message(connection: str, data: Any) -> None:
        environ = server.environ.get(connection)
        if environ is None:
            return  # it was ended already
        environ.setdefault(_PACKED, isinstance(data, bytes))
        try:
            if not data:
                raise BadPacket("nothing")
            read(connection, data)
        except ValueError as error:
            log.info("no packet", error=str(error)[:200])
            socket = engine.sockets.get(connection)
            if socket is not None:
                socket.close(wait=False)

    def send_packet(connection: str, packet: EnginePacket) -> None:
        if isinstance(packet.data, Encoded) and speaks_messagepack(server, connection):
            packet = EnginePacket(MESSAGE, packet.data.packed)
        send(connection, packet)

    engine.on("message", message)
    engine.send_packet = send_packet
