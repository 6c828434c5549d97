"""`make run`'s program: it says where the page is, both demo vendors come, and at its end no process is left."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import requests

from ingest_api.contract.wire import decode_submission, opened
from scrapers.fetch.chromium import find
from tests.conftest import ROOT, eventually, free_port
from tests.redis_door import STREAM
from tests.servers import needed

RUN = [sys.executable, str(ROOT / "scripts" / "run.py")]


class Everything:
    """The running program. Every process that comes of it carries our mark in its environment."""

    def __init__(self, folder: Path, **environment: str) -> None:
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
            **environment,
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
def everything(folder: Path, **environment: str) -> Iterator[Everything]:
    running = Everything(folder, **environment)
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
def test_all_sources_come_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    with everything(tmp_path) as running:
        comes(running)
        assert any("scrapers.schedule" in command for command in running.alive())
        interrupt(running)


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_over_redis_with_two_processes_all_sources_come_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    needed("redis-server")
    with everything(tmp_path, REDIS="1", PROCESSES="2") as running:
        comes(running)
        serving = re.findall(r"portalwire_process_up\S+ 1", requests.get(f"{running.url}/metrics", timeout=30).text)
        assert len(serving) == 2
        with redis.Redis.from_url(own_redis(running), protocol=2) as client:
            seen: set[str] = set()
            eventually(lambda: seen.update(delivered(client)) or "vendor_x" in seen, what="vendor_x is in the stream")
            assert seen <= {"vendor_x", "vendor_ticks"}, "vendor_y delivers over HTTP"
            interrupt(running)
            with pytest.raises(redis.ConnectionError):
                client.ping()


def comes(running: Everything) -> None:
    """Until everything that it shows is there: both vendors, the exchange, the charts."""
    running.read_until(f"Portalwire is at {running.url} ")
    expected = {"vendor_x", "vendor_ticks", *(["vendor_y"] if find().driver else [])}
    eventually(lambda: fresh(running.url) >= expected, what=f"{expected} are fresh")
    assert requests.get(f"{running.url}/dashboard/", timeout=30).status_code == 200


def own_redis(running: Everything) -> str:
    """The address of the private one, as the others know it: Redis itself writes its title over its environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            given = (folder / "environ").read_text(errors="replace")
            if running.mark in given and (found := re.search("PORTALWIRE_REDIS_URL=([^\0]+)", given)):
                return found[1]
    pytest.fail("no process was told of a Redis")


def delivered(client: redis.Redis) -> set[str]:
    """The sources of the records that come to the stream next."""
    answer: Any = client.xread({STREAM: "$"}, block=1000)
    records = [fields for _, some in answer for _, fields in some]
    return {decode_submission(*opened(fields[b"batch"])).batch.source for fields in records}


def interrupt(running: Everything) -> None:
    """Ctrl-C, after which there is none of its processes."""
    running.process.send_signal(signal.SIGINT)
    rest, _ = running.process.communicate(timeout=60)
    assert running.process.returncode == 0, rest
    assert running.alive() == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
@pytest.mark.parametrize("heard", [True, False], ids=["heard", "unheard"])
def test_killed_it_leaves_no_process(tmp_path: Path, heard: bool) -> None:
    with everything(tmp_path) as running:
        running.read_until("Portalwire is at ")
        if not heard:  # who read its output is killed too
            assert running.process.stdout is not None
            running.process.stdout.close()
        running.process.kill()
        running.process.wait()
        eventually(lambda: not running.alive(), what="all its processes ended")


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_its_inner_process_killed_it_leaves_none(tmp_path: Path) -> None:
    with everything(tmp_path) as running:
        running.read_until("Portalwire is at ")
        (inner,) = Path(f"/proc/{running.process.pid}/task/{running.process.pid}/children").read_text().split()
        os.kill(int(inner), signal.SIGKILL)
        running.process.communicate(timeout=60)
        assert running.alive() == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts processes in /proc")
def test_without_the_exchange_s_source_the_others_run(tmp_path: Path) -> None:
    schedules = tmp_path / "schedules.yaml"
    schedules.write_text(VENDOR_X)
    with everything(tmp_path, PORTALWIRE_SCHEDULES=str(schedules)) as running:
        running.read_until(f"Portalwire is at {running.url} ")
        eventually(lambda: fresh(running.url) == {"vendor_x"}, what="vendor_x is fresh")
        assert not any("fixtures.ticks" in command for command in running.alive())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_it_finds_a_free_port_and_says_where_it_is(tmp_path: Path, host: str) -> None:
    schedules = tmp_path / "schedules.yaml"
    schedules.write_text(VENDOR_X)
    anywhere = {"PORTALWIRE_PORT": "0", "PORTALWIRE_DEMO_PORT": "0", "PORTALWIRE_HOST": host}
    with everything(tmp_path, PORTALWIRE_SCHEDULES=str(schedules), **anywhere) as running:
        running.read_until("(Ctrl-C ends it)")
        (url,) = re.findall(r"Portalwire is at (\S+) ", running.printed)
        eventually(lambda: fresh(url) == {"vendor_x"}, what="vendor_x is delivered there")


VENDOR_X = """
sources:
  vendor_x:
    start: http://127.0.0.1:${PORTALWIRE_DEMO_PORT}/vendor-x/prices
    every: 2s
    pace: 0
"""


def said(**environment: str) -> str:
    """What it says on stderr when it does not start anything."""
    done = subprocess.run(RUN, env={**os.environ, **environment}, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        told = said(PORTALWIRE_PORT=port)
    assert told == f"Port {port} is in use: end what runs there, or set PORTALWIRE_PORT to a free one.\n"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PORTALWIRE_PORT": "abc"}, "PORTALWIRE_PORT is 'abc': a port is a number from 1 to 65535"),
        ({"PORTALWIRE_DEMO_PORT": "99999"}, "PORTALWIRE_DEMO_PORT is '99999': a port"),
        ({"PORTALWIRE_PORT": "15099", "PORTALWIRE_DEMO_PORT": "15099"}, "are both 15099"),
        ({"PORTALWIRE_HOST": "no such host"}, "PORTALWIRE_HOST is 'no such host', which names no address"),
        ({"PORTALWIRE_HOST": "192.0.2.1", "PORTALWIRE_PORT": "0"}, "PORTALWIRE_HOST is '192.0.2.1': "),
        ({"PORTALWIRE_DEMO_EVERY": "often"}, "PORTALWIRE_DEMO_EVERY is 'often': it is a number from 0.01 on"),
        ({"PORTALWIRE_TLS_CERTIFICATE": "c.pem", "PORTALWIRE_PORT": "0"}, "set PORTALWIRE_INGEST_URL too, to https"),
        ({"PORTALWIRE_SCHEDULES": "none.yaml"}, "none.yaml: there is no such file: name another by PORTALWIRE_SCHED"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_what_cannot_run_is_said_in_one_line_before_anything_starts(environment: dict[str, str], words: str) -> None:
    told = said(**{"PORTALWIRE_PORT": "0", "PORTALWIRE_DEMO_PORT": "0", **environment})
    assert words in told
    assert told.count("\n") == 1


def test_a_wrong_schedule_is_said_with_its_lines_before_anything_starts(tmp_path: Path) -> None:
    schedules = tmp_path / "schedules.yaml"
    schedules.write_text("sources:\n  vendor_x:\n    evry: 3s\n")
    told = said(PORTALWIRE_PORT="0", PORTALWIRE_DEMO_PORT="0", PORTALWIRE_SCHEDULES=str(schedules))
    assert told == f"{schedules}:3: sources.vendor_x.evry: is not a setting: did you mean every?\n"


@pytest.mark.parametrize("content", ["sources: {}\n", "sources:\n  vendor_ticks: {evry: 1s}\n", None])
def test_the_exchange_without_its_source_says_so_in_one_line(tmp_path: Path, content: str | None) -> None:
    schedules = tmp_path / "schedules.yaml"
    if content:
        schedules.write_text(content)
    environment = {**os.environ, "PORTALWIRE_SCHEDULES": str(schedules)}
    command = [sys.executable, "-m", "fixtures.ticks"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30)
    assert (done.stdout + done.stderr).startswith(str(schedules))
    assert (done.stdout + done.stderr).count("\n") == 1
    assert done.returncode == (0 if content == "sources: {}\n" else 1)
