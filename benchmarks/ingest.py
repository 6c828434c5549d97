"""Entries a second through POST /api/entries, beside the same door written with an ORM. `python -m benchmarks.ingest`

One sender, one connection, JSON, 500 entries a batch: first all new, then all the same again. Every door is a process
of its own with an empty SQLite file (WAL, FULL). The doors take turns, round by round; the medians are shown. Ours does
more for an entry than the others: it validates it, gives it an offset and a version, logs the change and tells every
follower.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import msgspec
import requests

ROUNDS = 3
BATCH = 500  # entries


@dataclass(frozen=True)
class Door:
    """A way to store a batch, as a command with {port} and {database} in it, and how many batches it gets a round."""

    name: str
    command: tuple[str, ...]
    batches: int


DOORS = (
    Door("Portalwire", ("realtime.serve", "--port", "{port}", "--database", "sqlite:///{database}"), 20),
    Door("Flask + ORM, a commit a batch", ("benchmarks.peers.orm", "{port}", "{database}", "batch"), 4),
    Door("Flask + ORM, a commit an entry", ("benchmarks.peers.orm", "{port}", "{database}", "entry"), 2),
)


def main() -> None:
    speeds: dict[str, dict[str, list[float]]] = {door.name: {"new": [], "unchanged": []} for door in DOORS}
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
        urls = {door.name: running.enter_context(started(door, Path(folder))) for door in DOORS}
        with requests.Session() as session:
            for number in range(ROUNDS):
                for door in DOORS:
                    for kind in ("new", "unchanged"):
                        bodies = list(batches(f"bench_{number}", door.batches, kind))
                        speeds[door.name][kind].append(measure(session, urls[door.name], bodies, kind))
    report({name: {kind: median(found) for kind, found in kinds.items()} for name, kinds in speeds.items()})


@contextmanager
def started(door: Door, folder: Path) -> Iterator[str]:
    """The door's address while it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = folder / f"{door.name.replace(' ', '_')}.db"
    arguments = [part.format(port=port, database=database) for part in door.command]
    environment = {**os.environ, "PORTALWIRE_LOG_LEVEL": "error"}
    with subprocess.Popen([sys.executable, "-m", *arguments], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    sys.exit(f"{url} does not answer")


def batches(source: str, count: int, kind: str) -> Iterator[bytes]:
    """Batches of a source's entries; `kind` only keeps their ids apart, the entries are the same."""
    for number in range(count):
        first = number * BATCH
        entries = [
            {
                "key": f"SKU-{n}",
                "topic": "steel",
                "data": {"name": f"Beam HEB {n}", "price": f"{n}.40", "currency": "EUR"},
            }
            for n in range(first, first + BATCH)
        ]
        batch = {"source": source, "run_id": kind, "batch_id": f"{kind}-{number}", "entries": entries}
        yield msgspec.json.encode(batch)


def measure(session: requests.Session, url: str, bodies: list[bytes], kind: str) -> float:
    """Entries a second, from the first byte sent to the last receipt."""
    began = time.perf_counter()
    receipts = [
        session.post(f"{url}/api/entries", data=body, headers={"Content-Type": "application/json"}).json()
        for body in bodies
    ]
    took = time.perf_counter() - began
    stored: int = sum(receipt[kind] for receipt in receipts)
    if stored != len(bodies) * BATCH:
        sys.exit(f"{url} stored {stored} entries as {kind} instead of {len(bodies) * BATCH}: {receipts[0]}")
    return stored / took


def report(speeds: dict[str, dict[str, float]]) -> None:
    ours = speeds[DOORS[0].name]
    print(f"{'POST, 500 entries a batch':32} {'new/s':>9} {'':>7} {'unchanged/s':>12}")
    for name, found in speeds.items():
        new, same = found["new"], found["unchanged"]
        print(f"{name:32} {new:9,.0f} {ours['new'] / new:6.1f}x {same:12,.0f} {ours['unchanged'] / same:6.1f}x")


if __name__ == "__main__":
    main()
