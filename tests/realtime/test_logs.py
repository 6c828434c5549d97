"""Whatever happens, each line of standard error is one JSON object, and no token is in it."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from realtime.logs import LINES
from tests.conftest import ROOT, Server, eventually
from tests.encrypted import Encrypted
from tests.reader import Reader
from tests.realtime.test_abuse import FRAMES, NO_PACKETS
from tests.sending import post
from tests.servers import PostgresServer
from tests.tokens import LOCKED, OPERATOR, bearer, token

GUEST = token("vendor_x")
WRONG = OPERATOR[:-4] + "AAAA"
HEAD = f"Host: 127.0.0.1\r\n{'Authorization: ' + bearer(OPERATOR)['Authorization']}\r\n"
REQUESTS = [
    b"\x16\x03\x01\x02\x00\x01",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"POST\x00 / HTTP/1.1\r\n\r\n",
    f"GET /{'x' * 9000} HTTP/1.1\r\n{HEAD}\r\n".encode(),
    f"GET /api/entries?token={OPERATOR} HTTP/1.1\r\n{HEAD}\r\n".encode(),
    f"POST /api/entries HTTP/1.1\r\n{HEAD}Content-Length: -1\r\n\r\n".encode(),
    f"POST /api/entries HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\nnope\r\n".encode(),
    f"POST /api/entries HTTP/1.1\r\n{HEAD}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{".encode(),
    f"{HEAD}{HEAD}\r\n".encode(),
]


@pytest.fixture(params=["plain", "encrypted"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A server that logs all there is to log."""
    debug = {"PORTALWIRE_LOG_LEVEL": "debug"}
    server = Server(tmp_path, {**LOCKED, **debug}) if request.param == "plain" else Encrypted(tmp_path, debug)
    server.start()
    yield server
    server.stop()


# websocket-client leaves its encrypted socket open when the server refuses the handshake
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_each_line_is_an_object_without_a_token(told: Server) -> None:
    verify = str(told.trusted) if isinstance(told, Encrypted) else True
    for asked in REQUESTS:
        send_bytes(told, asked)
    for by in (OPERATOR, GUEST, WRONG):
        for path in ("/api/sources", "/api/nope", f"/api/entries?token={by}", "/metrics"):
            requests.get(told.url + path, headers=bearer(by), cookies={"token": by}, verify=verify, timeout=30)
        requests.post(f"{told.url}/api/session", json={"token": by}, verify=verify, timeout=30)
        for packet in NO_PACKETS:
            abuse(told, by, packet)
        for frame in FRAMES.values():
            abuse(told, by, frame, raw=True)
    lines = objects(told)
    assert any(line["event"] == "request" for line in lines)
    assert any(line["event"] == "stopped" for line in lines)
    written = told.log.read_text()
    for secret in (OPERATOR, GUEST, WRONG, LOCKED["PORTALWIRE_SECRET"]):
        assert secret not in written
        assert secret.rpartition(".")[2] not in written, "nor its signature"


@pytest.mark.parametrize(
    "happening",
    [
        "import logging; logging.getLogger('werkzeug').error('of %s', 'a library')",
        "import logging; logging.getLogger('werkzeug').error('of %d', 'a library')",
        "import warnings; warnings.warn('of a library')",
        "gevent.spawn(broken, {'HTTP_COOKIE': secret}).join()",
        "gevent.get_hub().handle_error({'HTTP_COOKIE': secret, 'PATH_INFO': '/'}, *failure())",
        "gevent.get_hub().loop.run_callback(broken, secret); gevent.sleep(0.01)",
    ],
)
def test_what_libraries_say_and_nobody_caught(happening: str) -> None:
    secret = base64.b64encode(b"a token of somebody").decode()
    program = f"""
from gevent import monkey; monkey.patch_all()
import sys, gevent
from realtime import logs
logs.configure("info")
secret = {secret!r}
def broken(given): raise ValueError("two\\nlines")
def failure():
    try: broken(secret)
    except ValueError: return sys.exc_info()
{happening}
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    line = json.loads(done.stderr)
    assert line["level"] in ("warning", "error")
    assert secret not in done.stderr


def test_an_event_that_happens_ever_again_is_bounded_and_what_is_left_out_is_counted() -> None:
    program = f"""
from gevent import monkey; monkey.patch_all()
import logging, structlog
from functools import partial
from realtime import logs
now = 0.0
logs.Bounded = partial(logs.Bounded, lambda: now)
logs.configure("info")
structlog.contextvars.bind_contextvars(request_id="r1")
for number in range({LINES} + 7):
    logs.log.warning("again", number=number)
    logging.getLogger("library").error("of it: %d", number)
logs.log.info("another")
now = 1.1
logs.log.info("another")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["number"] for line in lines if line["event"] == "again"] == list(range(LINES))
    assert sum(line.get("logger") == "library" for line in lines) == LINES
    assert [(line["event"], line.get("of"), line.get("count"), line.get("request_id")) for line in lines[-4:]] == [
        ("another", None, None, "r1"),
        ("lines left out", "again", 7, None),
        ("lines left out", "library", 7, None),
        ("another", None, None, "r1"),
    ]


def test_that_the_store_is_away_is_said_once_and_that_it_is_back(
    postgres: PostgresServer, postgres_url: str, tmp_path: Path
) -> None:
    server = Server(tmp_path, {"PORTALWIRE_DATABASE_URL": postgres_url})
    server.start()
    post(server.url, "vendor_x", {f"k{number}": {"n": 1} for number in range(600)})
    with Reader(server.url) as reader:
        postgres.kill()
        until = time.monotonic() + 2  # its loops try, too
        while time.monotonic() < until:
            assert requests.get(f"{server.url}/api/sources", timeout=30).status_code == 503
            reader.ask("join", {"room": "vendor_x", "since": 0})
        postgres.start()
        eventually(lambda: requests.get(f"{server.url}/api/sources", timeout=30).ok)
        reader.join("vendor_x")
        reader.reach("vendor_x", 600)
    said = [line for line in objects(server) if line["event"].startswith("store")]
    assert [line["event"] for line in said] == ["store away", "store back"]
    assert said[1]["after"] > 1


def objects(server: Server) -> list[dict[str, Any]]:
    """The lines of a server that has ended."""
    server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    return lines


def send_bytes(server: Server, asked: bytes) -> None:
    with closing(server.connect()) as line, suppress(OSError):
        line.sendall(asked)
        line.settimeout(0.2)
        line.recv(4096)


def abuse(server: Server, by: str, packet: str | bytes, *, raw: bool = False) -> None:
    """Opens a websocket and sends what it should not."""
    scheme = "wss" if isinstance(server, Encrypted) else "ws"
    trusted = {"ca_certs": str(server.trusted)} if isinstance(server, Encrypted) else None
    address = f"{scheme}://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4"
    with suppress(OSError, websocket.WebSocketException):
        client = websocket.create_connection(address, sslopt=trusted, header=bearer(by), timeout=5)
        client.send(f"40{json.dumps({'token': by})}")
        client.recv()
        if raw:
            client.sock.sendall(packet)
        elif isinstance(packet, bytes):
            client.send_binary(packet)
        else:
            client.send(packet)
        client.shutdown()
