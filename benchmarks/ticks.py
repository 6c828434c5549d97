"""Ticks through the POST door into a server of its own: how many a second, with candles and without them.

`python -m benchmarks.ticks [DATABASE_URL]`
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path
from statistics import quantiles

import requests

from fixtures.ticks.market import trades
from fixtures.ticks.tape import PostDoor, batch, batches
from ingest_api.contract import Aggregate, SourceInfo

SECONDS = 15
RATE, BATCH = 1000, 250  # ticks a second, and of one batch
BATCHES = 160  # of the measurement at full speed


@contextmanager
def server(database: str, folder: Path) -> Iterator[tuple[str, int]]:
    """Its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "PORTALWIRE_PORT": str(port),
        "PORTALWIRE_DATABASE_URL": database,
        "PORTALWIRE_LOG_LEVEL": "warning",
    }
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "realtime.serve"], env=environment, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def paced(door: PostDoor, source: str, pid: int) -> str:
    """At RATE: how busy the server is, and how long a batch takes."""
    began, busy, took = time.perf_counter(), cpu(pid), []
    for each in islice(batches(trades(1), source, "paced", RATE, BATCH / RATE), int(SECONDS * RATE / BATCH)):
        sent = time.perf_counter()
        door.send(each)
        took.append((time.perf_counter() - sent) * 1000)
    share = (cpu(pid) - busy) / (time.perf_counter() - began)
    cuts = quantiles(took, n=100)
    return (
        f"{RATE} ticks/s: {share:.0%} of a core, a batch of {BATCH} takes p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms"
    )


def full(door: PostDoor, source: str, pid: int) -> str:
    """As fast as one sender can."""
    tape, start = trades(2, first=10**9), time.time() - BATCHES * BATCH / RATE
    beats = [start + number * BATCH / RATE for number in range(BATCHES + 1)]
    made = [batch(list(islice(tape, BATCH)), source, "full", *pair) for pair in pairwise(beats)]
    began, busy = time.perf_counter(), cpu(pid)
    for each in made:
        door.send(each)
    took = time.perf_counter() - began
    share = (cpu(pid) - busy) / took
    return f"one sender at full speed: {BATCHES * BATCH / took:,.0f} ticks/s at {share:.0%} of a core"


def main(database: str | None) -> None:
    aggregate = Aggregate(field="price", by="symbol", volume="volume", windows=["1m", "5m"], retention=10)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with server(database or f"sqlite:///{folder / 'ticks.db'}", folder) as (url, pid):
            while not _ready(url):
                time.sleep(0.1)
            for label, config in (("without candles", None), ("with candles and retention", aggregate)):
                source = f"bench_{time.time_ns()}"
                door = PostDoor(url, None)
                door.announce(SourceInfo(name=source, aggregate=config))
                print(f"{label}: {paced(door, source, pid)}")
                print(f"{label}: {full(door, source, pid)}")


def _ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
