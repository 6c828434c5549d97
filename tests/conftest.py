"""What the tests share: a real server process, and the rule that what is missing is skipped at home and fails in CI."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import pytest
import requests

from tests.demo_fixture import demo  # noqa: F401
from tests.servers import (  # noqa: F401
    database_url,
    module_database_url,
    postgres,
    postgres_url,
    redis_server,
    redis_url,
)

ROOT = Path(__file__).parent.parent
DEADLINE = 60.0  # seconds
T = TypeVar("T")


def eventually(condition: Callable[[], T], deadline: float = DEADLINE, what: str = "") -> T:
    """The condition's first true value; fails when the deadline passes."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"not within {deadline:g} s: {what or condition}; last value {value!r}")
        time.sleep(0.02)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud what was skipped, a line for each reason, however quiet the run is."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} skipped: {reason}", yellow=True)


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives to outgoing connections: one of those could get
    it while its server is dead, and the server could not come back."""
    while True:
        port = secrets.choice(range(15_000, 30_000))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """`python -m realtime.serve` as a process of its own, on a port and a database that outlive it."""

    module = "realtime.serve"

    def __init__(
        self, folder: Path, environment: Mapping[str, str] = MappingProxyType({}), name: str = "server"
    ) -> None:
        self.folder = folder
        self.environment = environment  # further variables, which go before the others
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = folder / "server.db"
        self.log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        self._launch()
        try:
            eventually(self._ready, what=f"the server is ready, see {self.log}")
        except BaseException:
            self.kill()
            raise

    def connect(self) -> socket.socket:
        """A connection to it, of which nothing is waited for longer than ten seconds."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def kill(self) -> None:
        """kill -9: it has no chance to finish anything."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, and waits for its end."""
        self._end(signal.SIGTERM)

    def wait(self) -> int:
        """The exit code, once it has ended by itself."""
        assert self._process is not None
        return self._process.wait(timeout=DEADLINE)

    def pause(self) -> None:
        """SIGSTOP: it stands still, wherever it is."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def _launch(self) -> None:
        environment = {
            **os.environ,
            "PORTALWIRE_PORT": str(self.port),
            "PORTALWIRE_DATABASE_URL": f"sqlite:///{self.database}",
            **self.environment,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module], cwd=ROOT, env=environment, stdout=log, stderr=log
            )

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=30)

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            pytest.fail(f"the server ended with {self._process.returncode}:\n{self.log.read_text()[-2000:]}")
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.ReadTimeout):  # several processes listen before they serve
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running server with an empty database."""
    server = Server(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server shared by a module's tests, each with sources of its own."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()
