"""Several processes write at once: offsets without gaps, for everyone who looks at any moment."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence

import msgspec
import pytest
import sqlalchemy as sa

from realtime.store import read
from realtime.store.engine import open_engine
from realtime.store.store import Store
from tests.conftest import ROOT

PROCESSES = 4
BATCHES = 4  # of each of four greenlets, to each source


class Tail:
    """Follows every source's log while others write, and notes what it should not see."""

    def __init__(self, url: str, sources: Sequence[str]) -> None:
        self.cursors = dict.fromkeys(sources, 0)
        self.keys: dict[str, list[str]] = {source: [] for source in sources}
        self.violations: list[str] = []
        self._engine = open_engine(url, writes=False)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Tail":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        with self._engine.connect() as connection:
            last = False
            while not last:
                last = self._ended.wait(0.005)  # what was committed before the end is read once more
                for source in self.cursors:
                    self._look(connection, source)

    def _look(self, connection: sa.Connection, source: str) -> None:
        with connection.begin():
            head, stretch = read.head(connection, source), read.log(connection, source, self.cursors[source], 100_000)
        if head < stretch.upto:
            self.violations.append(f"{source}: a change at {stretch.upto} beyond the head {head}")
        for change in stretch.changes:
            if change.offset != self.cursors[source] + 1:
                self.violations.append(f"{source}: {change.offset} after {self.cursors[source]}")
            self.cursors[source] = change.offset
            self.keys[source].append(change.key)


@pytest.mark.parametrize("sources", [["one"], ["one", "two", "three"]], ids=["one-source", "three-sources"])
def test_four_processes_write_without_a_gap_for_a_reader_that_tails(database_url: str, sources: list[str]) -> None:
    Store(database_url, lambda _: None).close()  # the schema
    command = [sys.executable, "-m", "tests.writing", database_url]
    with Tail(database_url, sources) as tail:
        writers = [
            subprocess.Popen([*command, f"w{n}", str(BATCHES), *sources], cwd=ROOT, stdout=subprocess.PIPE)
            for n in range(PROCESSES)
        ]
        told = [writer.communicate(timeout=150)[0] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * PROCESSES
    acknowledged: Counter[str] = sum((Counter(msgspec.json.decode(one)) for one in told), Counter())
    assert tail.violations == []
    assert tail.cursors == dict(acknowledged)
    assert all(len(keys) == len(set(keys)) for keys in tail.keys.values())


def test_processes_that_start_together_make_the_schema_once(database_url: str) -> None:
    command = [sys.executable, "-m", "tests.writing", database_url]
    writers = [
        subprocess.Popen([*command, f"w{n}", "1", "one"], cwd=ROOT, stdout=subprocess.DEVNULL) for n in range(PROCESSES)
    ]
    assert [writer.wait(timeout=150) for writer in writers] == [0] * PROCESSES
