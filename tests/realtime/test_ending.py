"""A server that is told to end takes no more connections, and answers what it was asked before."""

import json
import os
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import Server, eventually

ENTRIES = [{"key": "k", "data": {"n": 1}}]
BODY = json.dumps({"source": "vendor_x", "run_id": "r", "batch_id": "r-0", "entries": ENTRIES})


@pytest.fixture
def asked(tmp_path: Path) -> tuple[Server, socket.socket]:
    """A server that has begun to read a batch, and the connection."""
    server = Server(tmp_path)
    server.start()
    line = server.connect()
    head = ["POST /api/entries HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Connection: close"]
    head += ["Expect: 100-continue"]
    line.sendall("\r\n".join([*head, f"Content-Length: {len(BODY)}", "", ""]).encode())
    assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
    return server, line


def refuses(server: Server) -> bool:
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # the kernel took it just before the listener was closed: ask once more
        return False
    return False


def test_a_request_under_way_is_answered(asked: tuple[Server, socket.socket]) -> None:
    server, line = asked
    os.kill(server.pid, signal.SIGTERM)
    eventually(lambda: refuses(server), what="it takes no more connections")
    with closing(line):
        line.sendall(BODY.encode())
        answer = b"".join(iter(lambda: line.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"new":1' in answer
    assert server.wait() == 0
