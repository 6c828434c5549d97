"""A client that goes on with nothing is waited for no longer than the bound: plain, encrypted and on a websocket."""

import base64
import os
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests

from tests.conftest import Server
from tests.encrypted import Encrypted
from tests.tokens import LOCKED, OPERATOR, bearer

BOUND = 10.0  # seconds; what is configured here is a second at the most, the machine may be busy
TOKEN = f"Authorization: {bearer(OPERATOR)['Authorization']}\r\n"


class Hasty(Server):
    module = "tests.hasty"


class HastyEncrypted(Encrypted):
    module = "tests.hasty"


@pytest.fixture(scope="module", params=["plain", "encrypted"])
def impatient(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hasty")
    server = Hasty(folder, LOCKED) if request.param == "plain" else HastyEncrypted(folder)
    server.start()
    yield server
    server.stop()
    assert "Traceback" not in server.log.read_text()


def head(*lines: str) -> bytes:
    begun = ["POST /api/entries HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *lines]
    return ("\r\n".join(begun) + "\r\n").encode()


HALVES = {
    "nothing": b"",
    "half a request line": b"POST /api/ent",
    "half a header": head("X-Request-ID: half")[:-2],
    "a header without end": head(),
    "no body": head("Content-Length: 100") + TOKEN.encode() + b"\r\n",
    "half a body": head("Content-Length: 100") + TOKEN.encode() + b'\r\n{"source": "vendor_x", ',
    "half a chunk": head("Transfer-Encoding: chunked") + TOKEN.encode() + b'\r\n50\r\n{"source": ',
    "half a poll": b"POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n4",
}


@pytest.mark.parametrize("half", HALVES)
def test_half_a_request_is_ended(impatient: Server, half: str) -> None:
    with closing(impatient.connect()) as line:
        line.sendall(HALVES[half])
        answer = everything(line)
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 408")), answer


def test_who_sends_a_byte_now_and_then_is_ended_too(impatient: Server) -> None:
    for start in (HALVES["half a header"], HALVES["half a body"]):
        with closing(impatient.connect()) as line:
            line.sendall(start)
            line.settimeout(0.1)
            assert ends_while_fed(line), "it is over before what it began is whole"


def test_a_request_after_another_may_come_late_but_not_half(impatient: Server) -> None:
    with closing(impatient.connect()) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + HALVES["half a header"])
        answer = everything(line)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 408" in answer


@pytest.mark.parametrize("frame", [b"", b"\x81", b"\x81\xfe\x00", b"\x81\x90\x00\x00\x00\x00half"])
def test_half_a_frame_is_ended_with_the_pings(impatient: Server, frame: bytes) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
    address = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with closing(impatient.connect()) as line:
        line.sendall((address + upgrade + TOKEN + "\r\n").encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 101")
        line.sendall(frame)
        everything(line)


def test_half_a_handshake_is_ended(impatient: Server) -> None:
    with closing(Server.connect(impatient)) as line:
        line.sendall(b"\x16\x03\x01\x02\x00\x01")
        everything(line)


def test_whoever_is_in_time_is_served_meanwhile(impatient: Server) -> None:
    waiting = [impatient.connect() for _ in range(200)]
    for line in waiting:
        line.sendall(HALVES["half a body"])
    trusted = str(impatient.trusted) if isinstance(impatient, Encrypted) else True
    assert requests.get(f"{impatient.url}/readyz", verify=trusted, timeout=BOUND).ok
    for line in waiting:
        everything(line)
        line.close()


def everything(line: socket.socket) -> bytes:
    """What comes until the connection's end; fails when it does not end."""
    received = b""
    try:
        while piece := line.recv(65536):
            received += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return received


def ends_while_fed(line: socket.socket) -> bool:
    end = time.monotonic() + BOUND
    while time.monotonic() < end:
        try:
            line.sendall(b"x")
            if not line.recv(65536):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False
