"""The server processes of one port: each connection gets to the process whose it is.

A client that polls makes any number of connections, and any process may accept each; its session lives in one. A
session's id begins with the number of its process, so whoever reads the first line of a request knows where it belongs,
and hands on the connection itself, with what was read of it. Every process has an inbox that outlives it: what comes
while it is replaced waits for the next.
"""

import re
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import gevent
import msgspec
import structlog
from gevent import Timeout

WITHIN = 2.0  # seconds in which a process must take what is handed to it, and tell its numbers
LETTER = 64 * 1024  # bytes of a letter at the most
PIECE = 64 * 1024  # bytes that are relayed at a time

_SESSION = re.compile(r"\S+ /socket\.io/?\?(?:\S*&)?sid=(\d{1,3})\.")

log = structlog.get_logger()
Serve = Callable[[socket.socket, Any, bytes], None]
"""Serves a connection of an address, of which some was read before."""


class Letter(msgspec.Struct):
    """What comes with a connection: from whom it is and what was read of it; with no address it asks for numbers."""

    address: tuple[Any, ...] | None = None
    begun: bytes = b""


def inboxes(count: int) -> list[tuple[socket.socket, socket.socket]]:
    """For each process where it reads, and where others write."""
    return [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(count)]


class Siblings:
    """Process `number`, its inbox, and the ends into which one writes to each process, by their numbers."""

    def __init__(self, number: int, inbox: socket.socket, outboxes: Sequence[socket.socket]) -> None:
        self.number = number
        self._inbox = inbox
        self._outboxes = outboxes

    def name(self, sid: str) -> str:
        """A session's id that says whose it is; ids have no dot of their own."""
        return f"{self.number}.{sid}"

    def owner(self, request: str) -> int | None:
        """Whose the session of a request is, by its first line; None: it may be served here."""
        found = _SESSION.match(request)
        number = int(found[1]) if found else self.number
        return None if number == self.number or number >= len(self._outboxes) else number

    def hand_on(self, number: int, connection: socket.socket, address: Any, begun: bytes) -> None:
        """Gives a connection away. One that is encrypted here is relayed, until it ends. Raises OSError."""
        letter = Letter(tuple(address), begun)
        with connection:
            if not isinstance(connection, ssl.SSLSocket):
                self._send(number, letter, connection)
                return
            here, there = socket.socketpair()
            with here:
                with there:
                    self._send(number, letter, there)
                _relay(connection, here)

    def numbers(self) -> dict[int, str | None]:
        """What the other processes count and measure; None for one that does not answer in time."""
        others = [number for number in range(len(self._outboxes)) if number != self.number]
        asked = [gevent.spawn(self._ask, number) for number in others]  # all at the same time
        gevent.joinall(asked)
        return {number: answer.value for number, answer in zip(others, asked, strict=True)}

    def run(self, serve: Serve, numbers: Callable[[], bytes]) -> None:
        """Takes what the others hand on, for ever."""
        while True:
            data, descriptors, _, _ = socket.recv_fds(self._inbox, LETTER, 1)
            letter = msgspec.msgpack.decode(data, type=Letter)
            for descriptor in descriptors:
                connection = socket.socket(fileno=descriptor)
                if letter.address is None:
                    gevent.spawn(_tell, connection, numbers)
                else:
                    gevent.spawn(serve, connection, letter.address, letter.begun)

    def _ask(self, number: int) -> str | None:
        here, there = socket.socketpair()
        try:
            with here, Timeout(WITHIN, TimeoutError()):
                with there:
                    self._send(number, Letter(), there)
                with here.makefile("rb") as answer:
                    return answer.read().decode()
        except OSError:
            log.warning("a process is silent", number=number)
            return None

    def _send(self, number: int, letter: Letter, connection: socket.socket) -> None:
        with Timeout(WITHIN, TimeoutError(f"process {number} takes nothing")):
            socket.send_fds(self._outboxes[number], [msgspec.msgpack.encode(letter)], [connection.fileno()])


def _tell(connection: socket.socket, numbers: Callable[[], bytes]) -> None:
    with connection, suppress(OSError), Timeout(WITHIN, False):
        connection.sendall(numbers())


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Copies both ways until either ends."""
    copies = [gevent.spawn(_copy, one, other), gevent.spawn(_copy, other, one)]
    gevent.wait(copies, count=1)
    gevent.killall(copies)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(PIECE):
            target.sendall(piece)
    except OSError:
        return
