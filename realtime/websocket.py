"""The websocket of connections that are encrypted here, with bounds: the plain gevent transport's.

A frame says how long it is before it comes, and a message may be cut into any number of frames: gevent-websocket makes
room for whatever it is told, so a single client could take all memory.
"""

import math
from typing import Any

from geventwebsocket import handler
from geventwebsocket.exceptions import ProtocolError
from geventwebsocket.websocket import WebSocket

from realtime.polls import is_packet
from realtime.serving import BoundedHandler

SILENCE = 60.0  # seconds; a client is pinged after 25 and has 20 to answer
MESSAGE = 64 * 1024  # bytes of one message, in however many frames


class BoundedWebSocket(WebSocket):  # type: ignore[misc]
    """Ends the connection of a client that sends more than a message may hold."""

    __slots__ = ("held",)

    def __init__(self, environ: dict[str, Any], stream: Any, its_handler: Any) -> None:
        super().__init__(environ, stream, its_handler)
        self.held = 0  # bytes of the message that is being received
        read: Any = self.raw_read  # type: ignore[has-type]

        def bounded(size: int) -> bytes:
            if self.held + size > MESSAGE:
                raise ProtocolError
            data: bytes = read(size)
            return data

        self.raw_read = bounded  # type: ignore[misc]

    def receive(self) -> Any:
        """The next message; None when the connection is over, as it is after what cannot be a packet."""
        message = super().receive()
        if message is None or isinstance(message, bytes | bytearray) or is_packet(message):
            return message
        self.close(1003)
        return None

    def read_frame(self) -> Any:
        header, payload = super().read_frame()
        self.held = 0 if header.fin else self.held + len(payload)
        return header, payload


# The handler makes its websockets by this name and offers no other way to say which.
handler.WebSocket = BoundedWebSocket


class Handler(BoundedHandler, handler.WebSocketHandler):  # type: ignore[misc]
    """Serves HTTP, and upgrades to bounded websockets. Whose client is there answers pings: one that is silent for
    longer is ended here, nobody else would."""

    silence = SILENCE

    def run_websocket(self) -> None:
        self.line.within, self.line.until = self.silence, math.inf
        super().run_websocket()
