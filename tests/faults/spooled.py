"""Faults of the scrapers' machine while the server is away: what the spool kept, it still has."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from scrapers.deliver.http import Courier, Door
from scrapers.deliver.spool import Spool
from tests.conftest import ROOT, Server, eventually
from tests.faults import ailing, counts
from tests.faults.configurations import SQLITE
from tests.faults.disk import Disk
from tests.faults.follower import Follower
from tests.faults.scripted import Portal
from tests.faults.sender import Acknowledged, Sender, by_http
from tests.faults.stage import SOURCE

LOSSES = 5
MOST = 10  # steps that are kept before the next fault


class Machine:
    """Runs of a source, one after the other, on a disk of ours. Their server is started when all is over."""

    def __init__(self, folder: Path, seed: int, *bug: str) -> None:
        self.disk = Disk(folder)
        self.disk.sync()
        self.chosen = random.Random(seed)
        self.server = Server(folder)
        self.kept = Sender(Portal(SOURCE, seed, now=None), by_http(self.server.url))
        self._seed, self._bug = seed, bug

    @contextmanager
    def run(self) -> Iterator[subprocess.Popen[str]]:
        """A run that goes on after what was kept. At its end it is killed, and what it said is taken down."""
        here = [str(self.disk.folder / "var"), self.server.url, SOURCE, str(self._seed), str(len(self.kept.sent) + 1)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.faults.courier", *here, *self._bug],
            cwd=ROOT,
            env={**os.environ, **self.disk.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            yield process
            process.kill()
            self.keeps(process)

    def keeps(self, process: subprocess.Popen[str], steps: int | None = None) -> None:
        """Takes down that it kept so many steps, or all until its end."""
        assert process.stdout is not None
        for _ in islice(process.stdout, steps):
            self.kept.sent.append(self.kept.portal.next())
            self.kept.acknowledged.append(Acknowledged(time.monotonic(), self.kept.sent[-1], {}))

    def lose_power(self) -> None:
        self.disk.lose_power(self.chosen.choice((None, self.chosen)))

    def found(self) -> dict[int, counts.Found]:
        """What was broken of each promise, once a server has all that waits in the spool. One more may be there than
        the last run was able to say."""
        self.kept.sent.append(self.kept.portal.next())
        self.server.start()
        try:
            with Door(self.server.url) as door, Follower(self.server.url, SOURCE, history=True) as client:
                assert Courier(Spool(self.disk.folder / "var", SOURCE), door).send(patience=60)
                log = counts.log_of(f"sqlite:///{self.server.database}", SOURCE)
                eventually(lambda: client.cursor >= len(log), what="the client has everything")
        finally:
            self.server.stop()
        return {
            1: counts.lost(self.kept, log),
            2: counts.extra(self.kept, log),
            3: counts.gaps(log),
            4: counts.missed([client], log),
        }


def power_lost(configuration: str, seed: int, folder: Path) -> None:
    """Runs that are cut short deliver later, in order and once."""
    counts.note("power loss at the spool", configuration, after_losses(seed, folder))


def after_losses(seed: int, folder: Path, *bug: str) -> dict[int, counts.Found]:
    """What was broken of each promise."""
    machine = Machine(folder, seed, *bug)
    for _ in range(LOSSES):
        with machine.run() as process:
            machine.keeps(process, machine.chosen.randint(1, MOST))
        machine.lose_power()
    return machine.found()


def ails(scenario: str, ail: ailing.Ail, configuration: str, seed: int, folder: Path) -> None:
    """A run that cannot keep its batch ends and says why; what was kept before is sent, and so is what a later run
    keeps."""
    machine = Machine(folder, seed)
    with machine.run() as process:
        machine.keeps(process, machine.chosen.randint(1, MOST))
        ail(machine.disk, machine.chosen)
        machine.keeps(process)
        assert process.stderr is not None
        assert "SpoolFull: the spool" in process.stderr.read()
    ailing.heal(machine.disk)
    with machine.run() as process:
        machine.keeps(process, machine.chosen.randint(1, MOST))
    machine.lose_power()
    counts.note(scenario, configuration, machine.found())


def fails(configuration: str, seed: int, folder: Path) -> None:
    ails("fsync fails under the spool", ailing.fails, configuration, seed, folder)


def full(configuration: str, seed: int, folder: Path) -> None:
    ails("disk full under the spool", ailing.full, configuration, seed, folder)


SCENARIOS: dict[str, Callable[[str, int, Path], None]] = {
    "power loss at the spool": power_lost,
    "fsync fails under the spool": fails,
    "disk full under the spool": full,
}
for scenario in SCENARIOS.values():
    scenario.configurations = (SQLITE,)  # type: ignore[attr-defined]
