"""WebSocket frames as a server sends them (RFC 6455, 5.2): whole, unmasked, without extensions."""

from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.frame_protocol import CloseReason

_writer = Connection(ConnectionType.SERVER)  # between whole messages it remembers nothing

GOODBYE = Connection(ConnectionType.SERVER).send(CloseConnection(code=CloseReason.NORMAL_CLOSURE))


def framed(message: str | bytes) -> bytes:
    """A text or binary message as one frame."""
    if isinstance(message, str):
        return _writer.send(TextMessage(data=message))
    return _writer.send(BytesMessage(data=message))
