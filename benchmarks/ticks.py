"""Ticks through the POST door, and the Redis door where there is a redis-server, into a server of its own: how many a
second, with candles and without them. A batch takes until its receipt is there.

`python -m benchmarks.ticks [DATABASE_URL]`
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from statistics import quantiles

import requests

from fixtures.ticks.market import trades
from fixtures.ticks.tape import PostDoor, StreamDoor, batch, batches
from ingest_api.contract import Aggregate, SourceInfo

SECONDS = 15
RATE, BATCH = 1000, 250  # ticks a second, and of one batch
BATCHES = 160  # of the measurement at full speed


@contextmanager
def server(database: str, folder: Path, redis_url: str | None) -> Iterator[tuple[str, int]]:
    """Its address and its process."""
    port = _free_port()
    environment = {
        **os.environ,
        "PORTALWIRE_PORT": str(port),
        "PORTALWIRE_DATABASE_URL": database,
        "PORTALWIRE_LOG_LEVEL": "warning",
        **({"PORTALWIRE_REDIS_URL": redis_url} if redis_url else {}),
    }
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "realtime.serve"], env=environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@contextmanager
def private_redis(folder: Path) -> Iterator[str | None]:
    """The address of a Redis that keeps what it is sent on disk; None where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        yield None
        return
    port = _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "yes"]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


class Post:
    """The POST door answers with the receipt."""

    def __init__(self, url: str, redis_url: str | None) -> None:
        self._door = PostDoor(url, None)

    def send(self, body: bytes) -> None:
        self._door.send(body)

    def settle(self, bodies: Sequence[bytes]) -> None:
        """There is nothing to wait for."""


class Stream:
    """The Redis door takes a batch at once; whether it is stored is asked for."""

    def __init__(self, url: str, redis_url: str | None) -> None:
        assert redis_url is not None
        self._door = StreamDoor(redis_url)
        self._session, self._url = requests.Session(), url

    def send(self, body: bytes) -> None:
        self._door.send(body)

    def settle(self, bodies: Sequence[bytes]) -> None:
        """Waits until all are stored."""
        for body in bodies:
            named = json.loads(body)
            while not self._session.get(f"{self._url}/api/batches/{named['source']}/{named['batch_id']}").ok:
                time.sleep(0.005)


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def paced(door: Post | Stream, source: str, pid: int) -> str:
    """At RATE: how busy the server is, and how long a batch takes."""
    began, busy, took = time.perf_counter(), cpu(pid), []
    for each in islice(batches(trades(1), source, "paced", RATE, BATCH / RATE), int(SECONDS * RATE / BATCH)):
        sent = time.perf_counter()
        door.send(each)
        door.settle([each])
        took.append((time.perf_counter() - sent) * 1000)
    share = (cpu(pid) - busy) / (time.perf_counter() - began)
    cuts = quantiles(took, n=100)
    return (
        f"{RATE} ticks/s: {share:.0%} of a core, a batch of {BATCH} takes p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms"
    )


def full(door: Post | Stream, source: str, pid: int) -> str:
    """As fast as one sender can."""
    tape, start = trades(2, first=10**9), time.time() - BATCHES * BATCH / RATE
    beats = [start + number * BATCH / RATE for number in range(BATCHES + 1)]
    made = [batch(list(islice(tape, BATCH)), source, "full", *pair) for pair in pairwise(beats)]
    began, busy = time.perf_counter(), cpu(pid)
    for each in made:
        door.send(each)
    door.settle(made)
    took = time.perf_counter() - began
    share = (cpu(pid) - busy) / took
    return f"one sender at full speed: {BATCHES * BATCH / took:,.0f} ticks/s at {share:.0%} of a core"


def main(database: str | None) -> None:
    aggregate = Aggregate(field="price", by="symbol", volume="volume", windows=["1m", "5m"], retention=10)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with (
            private_redis(folder) as redis_url,
            server(database or f"sqlite:///{folder / 'ticks.db'}", folder, redis_url) as (url, pid),
        ):
            while not _ready(url):
                time.sleep(0.1)
            doors: dict[str, type[Post | Stream]] = {"POST": Post, **({"Redis": Stream} if redis_url else {})}
            for name, door in doors.items():
                for label, config in (("without candles", None), ("with candles and retention", aggregate)):
                    source = f"bench_{time.time_ns()}"
                    PostDoor(url, None).announce(SourceInfo(name=source, aggregate=config))
                    print(f"{name}, {label}: {paced(door(url, redis_url), source, pid)}")
                    print(f"{name}, {label}: {full(door(url, redis_url), source, pid)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
