"""What grows with what there is: `python -m benchmarks.growth [--rows 1000000] [--readers 10000]`

Speeds are shown beside the first row of their table, as ratios; what should not grow is near 1.

readers    an entry to 100, 1,000 … readers of a room: the 99th percentile, and that a reader
rows       batches into a source of 10,000 entries, and of more and more
sources    batches into one of 1, 10 … 500 sources
history    the log of a year beside that of a day: batches, catching up after a week, an entry's history
a room     joining a room of 100,000 entries: page by page, with memory that does not grow with it
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import msgspec
import requests
import sqlalchemy as sa
import typer

from benchmarks.bench import SERVER, beam, free_port, load, machine, running, table
from benchmarks.seen import until_ready
from ingest_api.contract import Batch, Submission
from ingest_api.contract.wire import decode_submission
from realtime.store import look, read
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine
from tests.reader import Reader

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 500  # entries
MEASURED = 20  # new batches, at the end of each size


def main(
    rows: Annotated[int, typer.Option(help="The largest source, in entries.")] = 10_000_000,
    readers: Annotated[int, typer.Option(help="The most readers.")] = 10_000,
) -> None:
    """Measure what grows."""
    print(f"{machine()}\n")
    with tempfile.TemporaryDirectory(prefix="portalwire-bench-") as folder:
        for number, part in enumerate((_readers, _rows, _sources, _history, _room)):
            print(part(Path(folder) / str(number), rows, readers), end="\n\n", flush=True)


def _readers(file: Path, _rows: int, most: int) -> str:
    shown: list[list[Any]] = []
    for count in (100, 1000, 10_000):
        if count > most:
            break
        with _server(file.with_suffix(f".{count}")) as (url, port, pids):
            post = threading.Thread(target=_post_steadily, args=(url, 100, 20.0))
            found = _while_reading(port, count, 100, pids, post)
        shown.append([f"{count:,} readers", found["p50_ms"], found["p99_ms"], found["p99_ms"] * 1000 / count])
    head = ["20 entries a second, POST to reader", "p50 ms", "p99 ms", "p99 µs a reader", "to the first"]
    return table(head, _beside_the_first(shown, 3))


def _while_reading(port: int, readers: int, entries: int, pids: list[int], post: threading.Thread) -> dict[str, Any]:
    begin = threading.Timer(2 + readers / 1500, post.start)  # once all have joined
    begin.start()
    join = '420["join",{"room":"grown"}]'
    return load(port, readers, join, entries * readers, "--check", "range", "--patience", "30", pids=pids)


def _post_steadily(url: str, count: int, rate: float) -> None:
    with requests.Session() as session:
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            data = {"name": f"Beam {number}", "price": f"{number}.40", "t": time.monotonic_ns()}
            entries = [{"key": f"SKU-{number}", "data": data}]
            batch = {"source": "grown", "run_id": "r", "batch_id": str(number), "entries": entries}
            session.post(f"{url}/api/entries", json=batch, timeout=60).raise_for_status()


def _rows(file: Path, most: int, _readers: int) -> str:
    shown: list[list[Any]] = []
    with _database(file) as connection:
        have, size, step = 0, 10_000, 0
        while size <= most:
            step += 1
            for first in range(have, size - MEASURED * BATCH, BATCH):
                _commit(connection, "s", first, 0)
            new = _speed(connection, "s", range(size - MEASURED * BATCH, size, BATCH), 0)
            have = size
            places = range(0, size, max(BATCH, size // 20 // BATCH * BATCH))
            changed = _speed(connection, "s", places, step)
            same = _speed(connection, "s", places, step)
            shown.append([f"{size:,} entries", new, changed, same])
            size *= 10
    head = ["batches of 500, entries a second", "new", "a tenth changed", "unchanged", "new to the first", "unchanged"]
    rows = _beside_the_first(_beside_the_first(shown, 1), 3)
    return table(head, rows)


def _sources(file: Path, _rows: int, _readers: int) -> str:
    shown: list[list[Any]] = []
    with _database(file) as connection:
        have = 0
        for count in (1, 10, 100, 500):
            for number in range(have, count):
                for first in range(0, 2000, BATCH):
                    _commit(connection, f"s{number}", first, 0)
            have = count
            changed = _speed(connection, f"s{count // 2}", range(0, 2000, BATCH), count)
            same = _speed(connection, f"s{count // 2}", range(0, 2000, BATCH), count)
            vitals = _milliseconds(connection, read.vitals)
            shown.append([f"{count:,} sources", changed, same, vitals])
    head = [
        "batches of 500 into one, entries a second",
        "a tenth changed",
        "unchanged",
        "heads of all, ms",
        "to the first",
    ]
    return table(head, _beside_the_first(shown, 2))


def _history(file: Path, _rows: int, _readers: int) -> str:
    """2,000 entries of which a tenth changes in each run: 24 runs a day."""
    shown: list[list[Any]] = []
    with _database(file) as connection:
        step = 0
        for days in (1, 30, 365):
            while step < days * 24:
                for first in range(0, 2000, BATCH):
                    _commit(connection, "s", first, step)
                step += 1
            changed = median(_speed(connection, "s", range(0, 2000, BATCH), step + more) for more in range(8))
            step += 8
            with connection.begin():
                head = read.head(connection, "s")
            week = max(0, head - 7 * 24 * 200)
            behind = _milliseconds(connection, partial(read.states, source="s", after=week, matches=_every))
            one = _milliseconds(connection, partial(look.history, source="s", key="SKU-0000000"))
            shown.append([f"{days:,} days, {head:,} changes", changed, behind, one])
    names = [
        "the log of",
        "a tenth changed, entries/s",
        "a page after a week, ms",
        "an entry's history, ms",
        "to the first",
    ]
    return table(names, _beside_the_first(shown, 1))


def _room(file: Path, _rows: int, _readers: int) -> str:
    shown: list[list[Any]] = []
    for size in (10_000, 100_000, 400_000):
        with _database(file.with_suffix(f".{size}")) as connection:
            for first in range(0, size, BATCH):
                _commit(connection, "grown", first, 0)
        with _server(file.with_suffix(f".{size}")) as (url, _, pids), Reader(url) as reader:
            before = _resident(pids[0])
            began = time.perf_counter()
            reader.join("grown")
            reader.reach("grown", size)
            took = time.perf_counter() - began
            assert len(reader.entries["grown"]) == size, "all of it"
            grown = _resident(pids[0]) - before
            shown.append([f"{size:,} entries", len(reader.frames["grown"]), took, size / took, grown / 1024])
    return table(["joining a room", "pages", "seconds", "entries a second", "server grew by MB"], shown)


@contextmanager
def _server(file: Path) -> Iterator[tuple[str, int, list[int]]]:
    port = free_port()
    command = [sys.executable, "-m", "realtime.serve", "--port", str(port), "--database", f"sqlite:///{file}"]
    with running(command, port, SERVER, {"PORTALWIRE_LOG_LEVEL": "error"}) as pids:
        url = f"http://127.0.0.1:{port}"
        until_ready(url)
        yield url, port, pids


@contextmanager
def _database(file: Path) -> Iterator[sa.Connection]:
    engine = open_engine(f"sqlite:///{file}", writes=True)
    migrate(engine)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def _speed(connection: sa.Connection, source: str, places: Iterable[int], step: int) -> float:
    """Entries a second of batches that begin at these places: the median one."""
    return round(BATCH / median(_commit(connection, source, first, step) for first in places))


def _commit(connection: sa.Connection, source: str, first: int, step: int) -> float:
    """Stores a batch in which every tenth entry is that of `step`; returns the seconds of its transaction."""
    submission = _submission(source, first, step)
    began = time.perf_counter()
    with connection.begin():
        commit_batch(connection, submission, "epoch")
    return time.perf_counter() - began


def _submission(source: str, first: int, step: int) -> Submission:
    at = START + timedelta(hours=step)
    entries = [beam(n, f"{step if n % 10 == 0 else 0}", at) for n in range(first, first + BATCH)]
    batch = Batch(source=source, run_id=f"r{step}", batch_id=f"{step}-{first}-{time.monotonic_ns()}", entries=entries)
    return decode_submission(msgspec.json.encode(batch), received_at=at)


def _every(_key: str, _topic: str | None, _data: str) -> bool:
    """Matches every entry."""
    return True


def _milliseconds(connection: sa.Connection, query: Callable[[sa.Connection], Any]) -> float:
    took = []
    for _ in range(9):
        began = time.perf_counter()
        with connection.begin():
            query(connection)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def _beside_the_first(rows: list[list[Any]], column: int) -> list[list[Any]]:
    """The rows with one column more: what stands in a column as a ratio to the first row's."""
    return [[*row, f"{row[column] / rows[0][column]:.2f}×"] for row in rows]


def _resident(pid: int) -> int:
    """Private memory of a process in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))


if __name__ == "__main__":
    typer.run(main)
