"""A small real server with Portalwire's doors, that behaves as badly as a test asks."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

RECEIPT = {"new": 1, "offset": 1, "epoch": "e"}


@dataclass(frozen=True)
class Got:
    """A request as it came; `body` is the JSON, inflated."""

    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """`body` None: what a healthy server says."""

    status: int
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()


def error(status: int, code: str = "poor", **headers: str) -> Answer:
    """An error as Portalwire words it."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Answer(status, {"error": {"code": code, "message": f"no {code}"}}, named)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: "DoorServer"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        got = Got(self.command, self.path, json.loads(raw), dict(self.headers.items()))
        answer = self.server.took(got)
        is_batch = got.path == "/api/entries"
        body = b"" if answer.status == 204 else json.dumps(answer.body or RECEIPT).encode()
        self.send_response(answer.status if is_batch or answer.status != 200 else 204)
        for name, value in answer.headers:
            self.send_header(name, value)
        if is_batch or answer.status != 200:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if is_batch or answer.status != 200:
            self.wfile.write(body)

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


class DoorServer(ThreadingHTTPServer):
    """`got` is what came, in order; `answer` decides what is said to a request, 200 being "all is well"."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.got: list[Got] = []
        self.answer: Callable[[Got], Answer] = lambda got: Answer(200)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def took(self, got: Got) -> Answer:
        self.got.append(got)
        return self.answer(got)

    @property
    def batches(self) -> list[Any]:
        return [got.body for got in self.got if got.path == "/api/entries"]

    @property
    def reports(self) -> list[Any]:
        return [got.body for got in self.got if got.path == "/api/runs"]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


@pytest.fixture
def door() -> Iterator[DoorServer]:
    server = DoorServer()
    yield server
    server.stop()
