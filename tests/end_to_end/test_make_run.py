"""`make run`'s program: it says where the page is, both demo vendors come, and at its end no process is left."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import pytest
import requests

from scrapers.fetch.chromium import find
from tests.conftest import ROOT, eventually, free_port

RUN = [sys.executable, str(ROOT / "scripts" / "run.py")]


class Everything:
    """The running program. Every process that comes of it carries our mark in its environment."""

    def __init__(self, folder: Path) -> None:
        self.mark = uuid4().hex
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "PORTALWIRE_PORT": str(self.port),
            "PORTALWIRE_DEMO_PORT": str(free_port()),
            "PORTALWIRE_DATABASE_URL": f"sqlite:///{folder / 'run.db'}",
            "PORTALWIRE_VAR": str(folder / "var"),
            "TEST_MARK": self.mark,
        }
        self.printed = ""
        self.process = subprocess.Popen(RUN, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def read_until(self, text: str, deadline: float = 60) -> None:
        assert self.process.stdout is not None
        end = time.monotonic() + deadline
        while text not in self.printed:
            assert select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0], self.printed
            got = os.read(self.process.stdout.fileno(), 65536)
            assert got, self.printed
            self.printed += got.decode()

    def alive(self) -> list[str]:
        """The command lines of its living processes."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended while we looked
                if self.mark.encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def everything(folder: Path) -> Iterator[Everything]:
    running = Everything(folder)
    try:
        yield running
    finally:
        running.close()
        eventually(lambda: not running.alive(), what="all its processes ended")


def fresh(url: str) -> set[str]:
    """The sources that hold entries and are vouched for."""
    sources = requests.get(f"{url}/api/sources", timeout=10).json()["sources"]
    return {source["name"] for source in sources if source["state"] == "fresh" and source["present"]}


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_both_vendors_come_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    vendors = {"vendor_x", "vendor_y"} if find().driver else {"vendor_x"}
    with everything(tmp_path) as running:
        running.read_until(f"Portalwire is at {running.url} ")
        eventually(lambda: fresh(running.url) >= vendors, what=f"{vendors} are fresh")
        assert any("scrapers.schedule" in command for command in running.alive())
        running.process.send_signal(signal.SIGINT)
        rest, _ = running.process.communicate(timeout=60)
        assert running.process.returncode == 0, rest
        assert running.alive() == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_killed_it_leaves_no_process(tmp_path: Path) -> None:
    with everything(tmp_path) as running:
        running.read_until("Portalwire is at ")
        running.process.kill()
        running.process.wait()
        eventually(lambda: not running.alive(), what="all its processes ended")


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            RUN, env={**os.environ, "PORTALWIRE_PORT": str(port)}, capture_output=True, text=True, timeout=30
        )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"Port {port} is in use: end what runs there, or set PORTALWIRE_PORT to a free one.\n"
