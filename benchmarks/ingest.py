"""Entries a second into the store, beside the ways of a tutorial. `python -m benchmarks.ingest [--rounds 3]`

The server has one core, the senders another. 500 entries a batch, JSON, over connections that stay open; every answer
comes after the commit, on disk. Measured for entries that are all new, a tenth of them changed, and unchanged. Ours
does more for an entry than the others: it checks it, gives it an offset and a version, keeps its history and tells
every follower. The doors take turns, round by round, each warmed up by one that does not count; medians are shown.
"""

import http.client
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple

import msgspec
import redis
import requests
import typer

from benchmarks.bench import SERVER, free_port, machine, running, table
from tests.servers import PostgresServer, RedisServer

BATCH = 500  # entries
KINDS = ("new", "a tenth changed", "unchanged")
PRICES = {"new": 0, "a tenth changed": 1, "unchanged": 1}
STREAM = "portalwire:ingest"
PATIENCE = 120.0  # seconds

Send = Callable[[int, list[tuple[str, bytes]]], None]  # port, bodies with their sources


class Door(NamedTuple):
    """A way in: a server's command and environment, how many batches of how many entries it gets, and from how many
    sources at once."""

    command: tuple[str, ...]
    batches: int
    environment: Mapping[str, str] = MappingProxyType({})
    size: int = BATCH
    sources: int = 1
    stream: str | None = None  # the Redis whose stream is the door


def main(rounds: Annotated[int, typer.Option(help="Rounds of which the median is shown.")] = 3) -> None:
    """Measure the doors and the store behind them."""
    speeds: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack, tempfile.TemporaryDirectory(prefix="portalwire-bench-") as folder:
        doors = _doors(stack, Path(folder))
        for number in range(rounds):
            for name, door in doors.items():
                with _open(door, Path(folder) / f"{number}-{len(speeds)}-{time.monotonic_ns()}.db") as port:
                    _measure(door, port, rounds, "new")  # a server's first batches make its statements
                    for kind in KINDS:
                        speeds[name][kind].append(_measure(door, port, number, kind))
        small = [_small(Path(folder) / f"small-{number}.db") for number in range(rounds)]
    print(f"{machine()}\n")
    print(_report({name: {kind: median(each) for kind, each in by.items()} for name, by in speeds.items()}))
    print(f"\nBatches of one entry: {median(one for one, _ in small):,.0f}/s from one sender, ", end="")
    print(f"{median(many for _, many in small):,.0f}/s from fifty at once (group commit).")


def _doors(stack: ExitStack, folder: Path) -> dict[str, Door]:
    serve = ("-m", "realtime.serve", "--port", "{port}", "--database", "{database}")
    orm = ("-m", "benchmarks.peers.orm", "{port}", "{file}")
    postgres = PostgresServer(_made(folder / "pg"), durable=True)
    postgres.start()
    stack.callback(postgres.stop)
    streams = RedisServer(_made(folder / "redis"))
    streams.start()
    stack.callback(streams.stop)
    pg = ("-m", "realtime.serve", "--port", "{port}", "--database", "{postgres}")
    database = {"make": postgres.create}
    return {
        "POST, SQLite": Door(serve, 60),
        "POST, SQLite, four sources": Door(serve, 60, sources=4),
        "Redis stream, SQLite": Door(serve, 60, {"PORTALWIRE_REDIS_URL": streams.url}, stream=streams.url),
        "POST, PostgreSQL": Door(pg, 40, {"_postgres": database["make"]()}),
        "POST, PostgreSQL, four sources": Door(pg, 60, {"_postgres": database["make"]()}, sources=4),
        "tutorial: an entry a POST, ORM, a commit each": Door((*orm, "entry"), 300, size=1),
        "Flask + ORM, 500 a POST, a commit a batch": Door((*orm, "batch"), 4),
    }


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755, parents=True)
    for parent in (folder.parent, folder):
        parent.chmod(0o755)  # PostgreSQL is another user
    return folder


@contextmanager
def _open(door: Door, file: Path) -> Iterator[int]:
    port = free_port()
    names = {"port": port, "file": file, "database": f"sqlite:///{file}", "postgres": door.environment.get("_postgres")}
    command = [sys.executable, *(part.format(**names) for part in door.command)]
    environment = {"PORTALWIRE_LOG_LEVEL": "error", **{k: v for k, v in door.environment.items() if k[0] != "_"}}
    with running(command, port, SERVER, environment):
        yield port


def _measure(door: Door, port: int, number: int, kind: str) -> float:
    """Entries a second, from the first byte sent to the last receipt."""
    count = door.batches // door.sources
    work = [
        [_batch(f"bench_{number}_{source}", n, door.size, kind) for n in range(count)] for source in range(door.sources)
    ]
    send = _stream(door.stream) if door.stream else _post if door.size > 1 else _post_each
    began = time.perf_counter()
    with ThreadPoolExecutor(door.sources) as pool:
        list(pool.map(lambda bodies: send(port, bodies), work))
    return door.sources * count * door.size / (time.perf_counter() - began)


def _batch(source: str, number: int, size: int, kind: str) -> tuple[str, bytes]:
    first = number * size
    entries = [
        {
            "key": f"SKU-{n}",
            "topic": "steel",
            "data": {"name": f"Beam HEB {n}", "price": f"{n}.{PRICES[kind] if n % 10 == 0 else 0}", "currency": "EUR"},
        }
        for n in range(first, first + size)
    ]
    batch = {
        "source": source,
        "run_id": kind.split()[-1],
        "batch_id": f"{kind.split()[-1]}-{number}",
        "entries": entries,
    }
    return source, msgspec.json.encode(batch)


def _post(port: int, bodies: list[tuple[str, bytes]]) -> None:
    connection = _connection(port)
    for _, body in bodies:
        connection.request("POST", "/api/entries", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            sys.exit(f"POST answered {answer.status}: {said[:200]!r}")
    connection.close()


def _post_each(port: int, bodies: list[tuple[str, bytes]]) -> None:
    """As tutorials send: a call of `requests.post` an entry."""
    headers = {"Content-Type": "application/json"}
    for _, body in bodies:
        requests.post(f"http://127.0.0.1:{port}/api/entries", data=body, headers=headers, timeout=60).raise_for_status()


def _connection(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _stream(url: str) -> Send:
    def send(_port: int, bodies: list[tuple[str, bytes]]) -> None:
        with redis.Redis.from_url(url) as client:
            for _, body in bodies:
                client.xadd(STREAM, {"batch": body})
            end = time.monotonic() + PATIENCE
            while not _is_drained(client):
                if time.monotonic() > end:
                    sys.exit("the stream was not stored")
                time.sleep(0.001)

    return send


def _is_drained(client: redis.Redis) -> bool:
    """Whether every record is acknowledged, which is after its commit."""
    groups: Any = client.xinfo_groups(STREAM)
    stream: Any = client.xinfo_stream(STREAM)
    return bool(groups) and not groups[0]["pending"] and groups[0]["last-delivered-id"] == stream["last-generated-id"]


def _small(file: Path) -> tuple[float, float]:
    """Batches of one entry a second: one sender, and fifty at once."""
    door = Door(("-m", "realtime.serve", "--port", "{port}", "--database", "{database}"), 0)
    with _open(door, file) as port:
        began = time.perf_counter()
        _post(port, [_batch("one", n, 1, "new") for n in range(500)])
        one = 500 / (time.perf_counter() - began)
        work = [[_batch(f"many_{sender}", n, 1, "new") for n in range(40)] for sender in range(50)]
        began = time.perf_counter()
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda bodies: _post(port, bodies), work))
        return one, 2000 / (time.perf_counter() - began)


def _report(speeds: dict[str, dict[str, float]]) -> str:
    ours = speeds["POST, SQLite"]
    rows: list[list[Any]] = []
    for name, found in speeds.items():
        ratio = None if name == "POST, SQLite" else f"{ours['new'] / found['new']:,.1f}×"
        same = None if name == "POST, SQLite" else f"{ours['unchanged'] / found['unchanged']:,.1f}×"
        rows.append([name, *(round(found[kind]) for kind in KINDS), ratio, same])
    head = ["entries a second", *KINDS, "POST, SQLite to it: new", "unchanged"]
    return table(head, rows)


if __name__ == "__main__":
    typer.run(main)
