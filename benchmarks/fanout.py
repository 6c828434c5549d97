"""One message to many readers, beside what others use. `python -m benchmarks.fanout [--rounds 3] [--servers a,b]`

A server on one core, readers on the other, an entry of about 300 bytes; order is checked in every run. The servers take
turns, round by round; medians are shown. `floor` is C with one send() a reader: what the machine can do.

one a turn    one message a turn of the event loop: deliveries for each second of the server's processor time
together      many messages in one turn
steady        20 messages a second: how long until a reader has one
idle, leaving memory of a connection, processor time when all go at once
"""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import typer

from benchmarks.bench import PEERS, ROOT, free_port, load, machine, medians, program, running, table

JOIN = '420["subscribe",{"room":"r"}]'


class Server(NamedTuple):
    """A command with {port} in it, and about how many deliveries a second it makes one by one, and together."""

    command: list[str]
    one_by_one: float
    together: float
    most: int = 5000  # readers it is asked to serve


TUTORIAL = [str(PEERS), "benchmarks/peers/tutorial.py", "{port}"]
SERVERS = {
    "floor (C)": Server(["{floor}", "{port}"], 300e3, 300e3),
    "Portalwire": Server([sys.executable, "-m", "benchmarks.peers.direct", "{port}"], 250e3, 2e6),
    "Node socket.io": Server(["node", "benchmarks/peers/hall.js", "{port}"], 90e3, 90e3),
    "Flask-SocketIO, gevent": Server([*TUTORIAL, "gevent"], 25e3, 60e3, 1000),
    "Flask-SocketIO, eventlet": Server([*TUTORIAL, "eventlet"], 16e3, 20e3, 1000),
    "python-socketio, uvicorn": Server([str(PEERS), "benchmarks/peers/asgi.py", "{port}"], 13e3, 13e3, 1000),
}

Measure = Callable[[Server, int, int, list[int]], dict[str, Any]]
Runs = dict[tuple[str, int], dict[str, list[dict[str, Any]]]]  # kind, readers -> server -> runs


def main(
    rounds: Annotated[int, typer.Option(help="Rounds of which the median is shown.")] = 3,
    servers: Annotated[str, typer.Option(help="Only these, by parts of their names.")] = "",
) -> None:
    """Measure sending to many readers."""
    chosen = {name: s for name, s in SERVERS.items() if not servers or any(part in name for part in servers.split(","))}
    runs: Runs = defaultdict(lambda: defaultdict(list))
    for _ in range(rounds):
        for readers in (100, 1000, 5000):
            for name, server in chosen.items():
                if readers <= server.most:
                    _measure(runs, name, server, readers)
    print(report(runs, list(chosen)))


def _measure(runs: Runs, name: str, server: Server, readers: int) -> None:
    kinds: list[tuple[str, Measure]] = [("one a turn", _one_a_turn)]
    if readers == 1000:
        kinds += [("together", _together), ("steady", _steady)]
    if readers == max(1000, server.most):
        kinds.append(("idle", _idle))
    for kind, measure in kinds:
        port = free_port()
        command = [part.format(port=port, floor=program("floor")) for part in server.command]
        with running(command, port) as pids:
            found = measure(server, port, readers, pids)
        if found["order_errors"] or found["connected"] < readers or found["events"] < found["expected"]:
            sys.stderr.write(f"{name}, {kind}, {readers}: {found}\n")
        runs[kind, readers][name].append(found)


def _one_a_turn(server: Server, port: int, readers: int, pids: list[int]) -> dict[str, Any]:
    messages = max(20, int(3 * server.one_by_one / readers))
    go = f"/go?m={messages}&rate=0&y=1"
    return load(port, readers, JOIN, messages * readers, "--go", go, "--check", "seq", pids=pids)


def _together(server: Server, port: int, readers: int, pids: list[int]) -> dict[str, Any]:
    messages = max(20, int(3 * min(server.together, 600e3) / readers))
    go = f"/go?m={messages}&rate=0&y=0"
    return load(port, readers, JOIN, messages * readers, "--go", go, "--check", "seq", pids=pids)


def _steady(server: Server, port: int, readers: int, pids: list[int]) -> dict[str, Any]:
    return load(port, readers, JOIN, 100 * readers, "--go", "/go?m=100&rate=20&y=0", "--check", "seq", pids=pids)


def _idle(server: Server, port: int, readers: int, pids: list[int]) -> dict[str, Any]:
    return load(port, readers, JOIN, 0, "--leave", pids=pids, hold=2)


def report(runs: Runs, servers: list[str]) -> str:
    """The tables, as Markdown."""
    found = {place: {name: medians(each) for name, each in by.items()} for place, by in runs.items()}
    return "\n\n".join(
        [
            f"{machine()}; {versions()}",
            _deliveries(found, servers),
            _others(found, servers),
        ]
    )


def _deliveries(found: Any, servers: list[str]) -> str:
    kinds = [("one a turn", 100), ("one a turn", 1000), ("one a turn", 5000), ("together", 1000)]
    head = ["thousand deliveries a processor second", *(f"{kind}, {readers:,}" for kind, readers in kinds)]
    rows: list[list[Any]] = []
    for name in servers:
        speeds = [found.get(kind, {}).get(name, {}).get("per_cpu_second") for kind in kinds]
        rows.append([name, *(None if speed is None else round(speed / 1000, 1) for speed in speeds)])
    ours = next((row for row in rows if row[0] == "Portalwire"), None)
    for row in list(rows):
        if ours and row is not ours:
            ratios = [None if a is None or not b else f"{a / b:.2f}×" for a, b in zip(ours[1:], row[1:], strict=True)]
            rows.append([f"Portalwire to {row[0]}", *ratios])
    return table(head, rows)


def _others(found: Any, servers: list[str]) -> str:
    head = ["", "p50 ms", "p99 ms", "kB a connection", "leaving: ms CPU a 1,000", "joining: ms CPU each"]
    rows = []
    for name in servers:
        steady = found.get(("steady", 1000), {}).get(name, {})
        idle = found.get(("idle", 5000), {}).get(name) or found.get(("idle", 1000), {}).get(name, {})
        leaving = idle["leaving_cpu_s"] * 1e6 / idle["readers"] if idle else None
        latencies = [steady.get("p50_ms"), steady.get("p99_ms")]
        rows.append([name, *latencies, idle.get("kb_per_connection"), leaving, idle.get("join_cpu_ms")])
    return table(head, rows)


def versions() -> str:
    """What was compared."""
    asked = "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in %r), sep=', ')"
    ours = ["gevent", "flask-socketio", "python-socketio", "python-engineio", "wsproto"]
    theirs = ["flask-socketio", "gevent-websocket", "eventlet", "uvicorn", "websockets"]
    node = (
        "process.version + ', socket.io ' + require('./benchmarks/peers/node_modules/socket.io/package.json').version"
    )
    said = [
        _said([sys.executable, "-c", asked % ours]),
        _said([str(PEERS), "-c", asked % theirs]),
        _said(["node", "-p", node]),
    ]
    return f"Portalwire with {said[0]}; peers with {said[1]}; Node {said[2]}"


def _said(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    typer.run(main)
