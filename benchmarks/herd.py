"""A server is lost, and all its clients come back. `python -m benchmarks.herd [--clients 1000,5000]`

The server is killed while nobody expects it, its room moves on, and it starts again; each client tries to come back at
a random moment within the jitter, again and again, and joins from its cursor. Timed is from when the server is ready
until the last client has all that it missed. The server has a core of its own.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import requests
import typer

from benchmarks.bench import LOAD, SERVER, beam, free_port, machine, pinned, program, running, table
from benchmarks.seen import until_ready
from ingest_api.contract import Batch
from ingest_api.contract.wire import decode_submission
from realtime.store.commit import commit_batch
from realtime.store.engine import open_engine

ROOM = "herd"
MISSED = 200  # entries
SETTLES = 3.0  # seconds until the clients that joined are counted on
PATIENCE = 120  # seconds without anything until the clients give up


def main(
    clients: Annotated[str, typer.Option(help="How many clients; several with commas.")] = "1000,5000",
    jitters: Annotated[
        str, typer.Option(help="Seconds within which a client tries again; several with commas.")
    ] = "1,5",
) -> None:
    """Measure a herd that comes back."""
    rows = [
        _measure(count, jitter) for count in map(int, clients.split(",")) for jitter in map(float, jitters.split(","))
    ]
    head = ["a herd", "jitter s", "all live after s", "server's processor s", "MB before", "MB at most"]
    print(f"{machine()}; {MISSED} entries were missed\n")
    print(table([*head, "pages read", "queries in all"], rows))


def _measure(count: int, jitter: float) -> list[Any]:
    with tempfile.TemporaryDirectory(prefix="portalwire-bench-") as folder:
        file, port = Path(folder) / "herd.db", free_port()
        command = [sys.executable, "-m", "realtime.serve", "--port", str(port), "--database", f"sqlite:///{file}"]
        quiet = {"PORTALWIRE_LOG_LEVEL": "error"}
        with running(command, port, SERVER, quiet) as pids:
            herd = _herd(port, count, jitter)
            time.sleep(SETTLES)
            before = _memory(pids[0], "VmRSS")
            os.kill(pids[0], signal.SIGKILL)
        try:
            _moves_on(file)
            with running(command, port, SERVER, quiet) as pids:
                until_ready(f"http://127.0.0.1:{port}")
                began = time.monotonic()
                if herd.wait():
                    sys.exit("not all of the herd came back")
                took = time.monotonic() - began
                peak, spent = _memory(pids[0], "VmHWM"), _processor(pids[0])
                counted = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
        finally:
            herd.kill()
            herd.wait()
    reads = [_number(counted, name) for name in ("pages_read", "store_reads")]
    return [f"{count:,} clients", f"{jitter:g}", took, spent, before / 1024, peak / 1024, *reads]


def _herd(port: int, count: int, jitter: float) -> "subprocess.Popen[str]":
    """Clients that follow the room, once all have joined it."""
    join = f'420["join",{{"room":"{ROOM}","since":%ld}}]'
    words = [program("load"), str(port), str(count), join, str(count * MISSED), "--check", "range"]
    words += ["--again", str(jitter), "--patience", str(PATIENCE)]
    herd = subprocess.Popen(pinned(LOAD, words), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert herd.stderr is not None
    if herd.stderr.readline() != f"joined {count}\n":
        sys.exit("not all clients joined")
    return herd


def _moves_on(file: Path) -> None:
    """What happens in the room while its server is away."""
    now = datetime.now(UTC)
    entries = [beam(number, "40", now) for number in range(MISSED)]
    batch = Batch(source=ROOM, run_id="away", batch_id="away-0", entries=entries)
    submission = decode_submission(msgspec.json.encode(batch), received_at=now)
    engine = open_engine(f"sqlite:///{file}", writes=True)
    with engine.begin() as connection:
        commit_batch(connection, submission, "epoch")
    engine.dispose()


def _memory(pid: int, which: str) -> int:
    """`VmRSS` or `VmHWM` of a process, in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(which)))


def _processor(pid: int) -> float:
    """Seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _number(metrics: str, name: str) -> int:
    return int(float(metrics.partition(f"\nportalwire_{name}_total ")[2].split("\n")[0]))


if __name__ == "__main__":
    typer.run(main)
