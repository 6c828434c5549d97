"""What the benchmarks share: servers on one core and their load on another, programs in C, medians and tables."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from ingest_api.contract import Entry

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
PEERS = BUILD / "peers" / "bin" / "python"
PATIENCE = 30.0  # seconds a server may take to answer

CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
SERVER, LOAD = CORES[0], CORES[-1]  # one core each, where there are two


def program(name: str) -> str:
    """A program of benchmarks/wire, compiled if it is newer than what is there."""
    source, made = ROOT / "benchmarks" / "wire" / f"{name}.c", BUILD / name
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        BUILD.mkdir(exist_ok=True)
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            sys.exit("A C compiler is missing: install gcc.")
        subprocess.run([compiler, "-O2", "-o", str(made), str(source)], check=True)
    return str(made)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], port: int, core: int = SERVER, environment: Mapping[str, str] | None = None
) -> Iterator[list[int]]:
    """The process ids of a server while it runs on its core."""
    process = subprocess.Popen(
        pinned(core, command), cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL
    )
    try:
        _until_it_listens(port, process)
        yield tree(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def pinned(core: int, command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", str(core), *command] if shutil.which("taskset") else list(command)


def tree(pid: int) -> list[int]:
    """A process and those that it started."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return [pid]
    return [pid, *(each for child in children for each in tree(int(child)))]


def load(
    port: int,
    readers: int,
    join: str,
    events: int,
    *options: str,
    pids: Sequence[int] = (),
    hold: float = 0.5,
    core: int = LOAD,
) -> dict[str, Any]:
    """What readers saw: see benchmarks/wire/load.c."""
    words = [program("load"), str(port), str(readers), join, str(events), "--hold", str(hold), *options]
    if pids:
        words += ["--pids", ",".join(map(str, pids))]
    done = subprocess.run(pinned(core, words), capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"the readers failed: {done.stderr[-500:]}")
    return found


def beam(number: int, cents: str, at: datetime) -> Entry:
    """An entry of some 200 bytes."""
    return Entry(
        key=f"SKU-{number:07}",
        topic=f"group {number % 20}",
        url=f"https://vendor-x.example/items/{number}",
        data={"name": f"Beam HEB {number}", "price": f"{number}.{cents}", "currency": "EUR"},
        observed_at=at,
    )


def medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The median of every number of several runs."""
    return {name: median(run[name] for run in runs) for name in runs[0] if all(name in run for run in runs)}


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows as a table of Markdown, numbers to the right."""
    texts = [list(map(str, head)), *(list(map(_shown, row)) for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(head))]
    lines = [f"| {' | '.join(map(_padded, row, widths, range(len(row))))} |" for row in texts]
    rule = "|" + "|".join("-" * (width + 1) + (":" if column else "-") for column, width in enumerate(widths)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _padded(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column else cell.ljust(width)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def machine() -> str:
    """A line that says on what it was measured."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    return f"{os.cpu_count()} cores ({model}), Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f}"


def _lines(file: str) -> list[str]:
    try:
        return Path(file).read_text().splitlines()
    except OSError:
        return []


def _until_it_listens(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{' '.join(map(str, process.args))} does not listen")  # type: ignore[arg-type]
