"""The clock of the server's machine is a day off for a while, and right again: nothing is lost, then or afterwards."""

import random
import time
from datetime import datetime
from pathlib import Path

from tests.conftest import eventually
from tests.faults.configurations import configured
from tests.faults.disk import Disk
from tests.faults.scripted import Portal
from tests.faults.stage import SOURCE, Stage, staged
from tests.reader import Reader

NAME = "clock a day off"
DAY = 86_400  # seconds
BATCHES = 7  # at each time
NEAR = 60.0  # seconds


def clock_off(configuration: str, seed: int, folder: Path) -> None:
    """Ahead and behind, in an order by the seed, and right between. The portal's batches tell no moment themselves."""
    disk = Disk(folder)
    one, other = random.Random(seed).sample((DAY, -DAY), 2)
    with (
        configured(configuration, folder) as setup,
        staged(
            configuration,
            folder,
            seed,
            portal=Portal(SOURCE, seed, now=None),
            setup=setup,
            environment=disk.environment,
        ) as stage,
    ):
        stage.timed = False
        for seconds in (0, one, 0, other, 0):
            disk.shift(seconds)
            stage.deliver(BATCHES)
            _told(stage, time.time() + seconds)
        stage.count(NAME)


def _told(stage: Stage, moment: float) -> None:
    """Who joins now is told that the source is complete as of about this moment of the server's."""

    def as_of(reader: Reader) -> float:
        told = reader.watermarks.get(SOURCE, {}).get("as_of")
        return datetime.fromisoformat(told).timestamp() if told else 0.0

    with Reader(stage.service.url) as reader:
        reader.join(SOURCE)
        eventually(lambda: abs(as_of(reader) - moment) < NEAR, what=f"the watermark is of about {moment}")


SCENARIOS = {NAME: clock_off}
