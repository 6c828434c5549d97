"""Engine.IO's packets before the library reads them: it trusts what it is sent, and logs what it did not expect."""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from ingest_api.contract.errors import ContractError
from ingest_api.http import refusal

KINDS = frozenset("0123456")
PACKETS = 16  # of one POST, as many as the library reads
BETWEEN = "\x1e"


class BadPoll(ContractError):
    """The body is not made of Engine.IO packets."""

    code = "bad_packets"


class PollTooLarge(ContractError):
    """A message is too large: see docs/events.md for how much one may hold."""

    code = "too_large"
    status = 413


def is_packet(text: str) -> bool:
    """Whether a text may be a packet as a websocket carries it."""
    return text[:1] in KINDS if text else False


class Polls:
    """A WSGI application before another one: what is POSTed to Socket.IO is packets, and not more than `most` bytes."""

    def __init__(self, app: Any, path: str, most: int) -> None:
        self._app = app
        self._path = path
        self._most = most

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith(self._path):
            try:
                environ["wsgi.input"] = BytesIO(self._checked(environ))
            except ContractError as error:
                refused: Iterable[bytes] = refusal(error)(environ, start_response)
                return refused
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _checked(self, environ: dict[str, Any]) -> bytes:
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > self._most:
            raise PollTooLarge
        try:
            body: bytes = environ["wsgi.input"].read(int(length))
        except OSError as error:  # it ends too early, or nothing more of it comes
            raise BadPoll from error
        try:
            packets = body.decode().split(BETWEEN)
        except UnicodeDecodeError as error:
            raise BadPoll from error
        if len(packets) > PACKETS or not all(is_packet(packet) or _is_binary(packet) for packet in packets):
            raise BadPoll
        return body


def _is_binary(packet: str) -> bool:
    """Bytes travel as base64 in a text."""
    try:
        return packet.startswith("b") and bool(b64decode(packet[1:], validate=True))
    except (binascii.Error, ValueError):
        return False
