"""A real web server for tests, with pages that behave as badly as a test asks."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Asked:
    """A request as the server saw it."""

    path: str
    headers: dict[str, str]
    at: float


class Request(BaseHTTPRequestHandler):
    """One request; a test's page is a function that is given it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a body waits for 40 ms behind its headers
    server: "Web"

    def do_GET(self) -> None:
        self.server.asked(self)
        page = self.server.pages.get(self.path, missing)
        try:
            page(self)
            self.wfile.flush()
        except (BrokenPipeError, ConnectionResetError):  # a client that had enough is what some tests are about
            self.close_connection = True

    def send(self, body: bytes = b"", status: int = 200, **headers: str) -> None:
        """The whole answer; header names are written with _ for -."""
        self.send_response(status)
        headers = {"Content_Type": "text/html; charset=utf-8"} | headers
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


PageFunction = Callable[[Request], None]


def missing(request: Request) -> None:
    request.send(b"<p>no such page", 404)


def html(text: str, **headers: str) -> PageFunction:
    """A page that simply is there."""
    return lambda request: request.send(text.encode(), **headers)


class Web(ThreadingHTTPServer):
    """The server: `pages` is path -> function, `log` what was asked, in order (robots.txt left out)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.pages: dict[str, PageFunction] = {}
        self.log: list[Asked] = []
        self.stopping = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def asked(self, request: Request) -> None:
        if request.path != "/robots.txt":
            self.log.append(Asked(request.path, dict(request.headers.items()), time.time()))

    def handle_error(self, request: object, client_address: object) -> None:
        """Silence: clients that hang up are what some tests are about."""

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.stop()


@pytest.fixture
def other_web() -> Iterator[Web]:
    server = Web()
    yield server
    server.stop()
