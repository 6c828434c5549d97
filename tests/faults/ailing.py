"""A disk under the server that fails to sync or is full for a while; at the end the machine loses its power."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.conftest import eventually
from tests.faults.configurations import SQLITE
from tests.faults.disk import Disk
from tests.faults.power import powered

BATCHES = 10  # delivered before it ails, and again afterwards
REFUSALS = 3
Ail = Callable[[Disk, random.Random], None]


def fails(disk: Disk, _chosen: random.Random) -> None:
    disk.fail(-1)


def full(disk: Disk, chosen: random.Random) -> None:
    disk.fill(chosen.randrange(20_000))


def heal(disk: Disk) -> None:
    disk.fail(0)
    disk.fill(-1)


def ailing(scenario: str, ail: Ail, configuration: str, seed: int, folder: Path) -> None:
    """What cannot be stored is refused and sent again, clients go on reading, and once the disk is well the server goes
    on or (every other seed) is killed and comes back."""
    chosen = random.Random(seed)
    with powered(configuration, seed, folder) as (stage, disk):
        stage.deliver(BATCHES)
        ail(disk, chosen)
        refused = stage.sender.unanswered
        with stage.delivering(BATCHES) as delivery:
            eventually(lambda: stage.sender.unanswered >= refused + REFUSALS or delivery.done(), what="it is refused")
            said = stage.service.log.read_text()
            assert '"disk I/O error"' in said or '"database or disk is full"' in said, "the log says why"
            stage.another()  # it reads what is there
            stage.gather()
            if seed % 2:
                stage.service.kill()
            heal(disk)
            if seed % 2:
                stage.service.start()
        assert stage.sender.unanswered >= refused + REFUSALS, "it was taken without the disk being well"
        stage.gather()
        stage.service.kill()
        disk.lose_power(chosen.choice((None, chosen)))
        stage.service.start()
        stage.deliver(1)
        stage.count(scenario)


def fails_under_the_server(configuration: str, seed: int, folder: Path) -> None:
    ailing("fsync fails under the server", fails, configuration, seed, folder)


def full_under_the_server(configuration: str, seed: int, folder: Path) -> None:
    ailing("disk full under the server", full, configuration, seed, folder)


SCENARIOS: dict[str, Callable[[str, int, Path], None]] = {
    "fsync fails under the server": fails_under_the_server,
    "disk full under the server": full_under_the_server,
}
for scenario in SCENARIOS.values():
    scenario.configurations = (SQLITE,)  # type: ignore[attr-defined]
