"""What clients that do not read cost those who do. `python -m benchmarks.slow [--stalled 200]`

Readers of a room are timed from POST to reader, with and without clients beside them that joined it and stopped
reading, past the bound: they have left the room and wait to catch up. The server has a core of its own; rounds take
turns, and medians are shown.
"""

import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import requests
import typer
import websocket

from benchmarks.bench import SERVER, free_port, load, machine, medians, running, table
from benchmarks.seen import until_ready

ROOM = "slow"
JOIN = f'420["join",{{"room":"{ROOM}"}}]'
WIDE = 4000  # characters of an entry
FLOOD = 1000  # such entries, so that who does not read is past the bound
TIMED, RATE = 200, 20.0  # entries, and how many a second


def main(
    stalled: Annotated[int, typer.Option(help="Clients that do not read.")] = 200,
    readers: Annotated[int, typer.Option(help="Clients that do.")] = 500,
    rounds: Annotated[int, typer.Option(help="Rounds of which the median is shown.")] = 3,
) -> None:
    """Measure what slow clients cost the others."""
    runs: dict[int, list[dict[str, Any]]] = {0: [], stalled: []}
    for _ in range(rounds):
        for count, found in runs.items():
            found.append(_measure(count, readers))
    rows = [[f"{count} stalled", *_shown(medians(found))] for count, found in runs.items()]
    rows.append(
        ["ratio", *(f"{with_them / without:.2f}×" for without, with_them in zip(*(r[1:] for r in rows), strict=True))]
    )
    print(f"{machine()}; {readers} readers, {RATE:g} entries of {WIDE} characters a second\n")
    print(table(["beside them", "p50 ms", "p99 ms", "server's processor s", "server MB"], rows))


def _shown(found: dict[str, float]) -> list[float]:
    return [found["p50_ms"], found["p99_ms"], found["cpu_seconds"], found["memory_kb"] / 1024]


def _measure(stalled: int, readers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="portalwire-bench-") as folder, ExitStack() as stack:
        port, file = free_port(), Path(folder) / "slow.db"
        command = [sys.executable, "-m", "realtime.serve", "--port", str(port), "--database", f"sqlite:///{file}"]
        pids = stack.enter_context(running(command, port, SERVER, {"PORTALWIRE_LOG_LEVEL": "error"}))
        url = f"http://127.0.0.1:{port}"
        until_ready(url)
        stack.enter_context(_stalled(port, stalled))
        for first in range(0, FLOOD, 50):
            _post(url, range(first, first + 50))
        post = threading.Timer(3, _steadily, (url,))  # once all have joined
        post.start()
        found = load(port, readers, JOIN, TIMED * readers, "--check", "range", "--patience", "30", pids=pids)
        post.join()
    if found["order_errors"] or found["events"] < found["expected"]:
        sys.exit(f"not everybody got everything: {found}")
    return found


@contextmanager
def _stalled(port: int, count: int) -> Iterator[None]:
    """Clients that join the room and read nothing more."""
    small = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)]
    with ExitStack() as stack:
        for _ in range(count):
            address = f"ws://127.0.0.1:{port}/socket.io/?transport=websocket&EIO=4"
            client = stack.enter_context(closing(websocket.create_connection(address, sockopt=small, timeout=60)))
            client.recv()
            client.send("40")
            client.recv()
            client.send(JOIN)
        yield


def _steadily(url: str) -> None:
    began = time.monotonic()
    for number in range(TIMED):
        time.sleep(max(0.0, began + number / RATE - time.monotonic()))
        _post(url, range(FLOOD + number, FLOOD + number + 1))


def _post(url: str, numbers: range) -> None:
    entries = [{"key": f"SKU-{number}", "data": {"name": "x" * WIDE, "t": time.monotonic_ns()}} for number in numbers]
    batch = {"source": ROOM, "run_id": "r", "batch_id": str(numbers.start), "entries": entries}
    requests.post(f"{url}/api/entries", json=batch, timeout=60).raise_for_status()


if __name__ == "__main__":
    typer.run(main)
