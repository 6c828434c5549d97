"""Power cuts of a server on SQLite, under load. Its disk keeps what was synced, and perhaps some of the rest."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import eventually
from tests.faults.configurations import SQLITE, Configured
from tests.faults.disk import Disk
from tests.faults.stage import Stage, staged

CUTS = 2
BATCHES = 12  # around each cut


def power_lost(configuration: str, seed: int, folder: Path) -> None:
    """While batches are on their way; the server comes back with what is on its disk."""
    with powered(configuration, seed, folder) as (stage, disk):
        lose_power(stage, disk, seed)
        stage.count("power loss")


@contextmanager
def powered(configuration: str, seed: int, folder: Path, bug: str = "") -> Iterator[tuple[Stage, Disk]]:
    """A stage whose server is on a disk of ours."""
    disk = Disk(folder)
    disk.sync()
    setup = Configured({"PORTALWIRE_DATABASE_URL": f"sqlite:///{disk.folder / 'server.db'}"})
    with staged(configuration, folder, seed, setup=setup, environment=disk.environment, bug=bug) as stage:
        yield stage, disk


def lose_power(stage: Stage, disk: Disk, seed: int) -> None:
    """At moments of the seed's."""
    chosen = random.Random(seed)
    for _ in range(CUTS):
        stage.gather()
        answered = len(stage.sender.acknowledged) + chosen.randint(1, BATCHES - 2)
        with stage.delivering(BATCHES):
            eventually(lambda answered=answered: len(stage.sender.acknowledged) >= answered, what="some are stored")
            stage.service.kill()
            disk.lose_power(chosen.choice((None, chosen)))
            stage.service.start()


power_lost.configurations = (SQLITE,)  # type: ignore[attr-defined]

SCENARIOS = {"power loss": power_lost}
