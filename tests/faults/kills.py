"""kill -9 of a server process at named points of its code."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from realtime.store.engine import open_engine
from tests.conftest import eventually
from tests.faults.configurations import PROCESSES, configured
from tests.faults.sender import by_courier
from tests.faults.stage import staged

BATCHES = 7  # before another client comes, and again after it

ONCE = ("while catching up",)  # points that are not passed with every batch
POINTS = ("before commit", "after commit", "before answer", "in the clock's beat", *ONCE)  # of tests.faults.points
NEWEST = "0011"
OLDER = (  # what the last migrations did, undone; the words of 0011 may be made so twice
    "ALTER TABLE sources DROP COLUMN asked",
    "DROP INDEX notes_once",
    "ALTER TABLE notes DROP COLUMN utterance",
    "ALTER TABLE sources DROP COLUMN believed",
    "ALTER TABLE sources DROP COLUMN believed_present",
    "UPDATE alembic_version SET version_num = '0007'",
)


def killed(point: str, configuration: str, seed: int, folder: Path) -> None:
    """Processes end at their nth passing of a point, once or more often; both by the seed."""
    nth, kills = (1, 1) if point in ONCE else (1 + seed // 3 % 3, 1 + seed % 3)
    with staged(configuration, folder, seed, fault=f"{point}:{nth}", kills=kills) as stage:
        stage.deliver(BATCHES)
        stage.another()
        eventually(lambda: stage.service.killed > 0 or _went_on(stage.deliver), what="a process was killed")
        stage.deliver(BATCHES)
        stage.count(f"kill -9 {point}")


def while_migrating(configuration: str, seed: int, folder: Path) -> None:
    """From an older schema, with what was delivered under it."""
    with staged(configuration, folder, seed) as stage:
        stage.deliver(BATCHES)
        service = stage.service
        service.stop()
        _make_older(stage.setup.environment["PORTALWIRE_DATABASE_URL"])
        service.environment = {**service.environment, "PORTALWIRE_FAULT_KILL": "while migrating:1"}
        service.start()
        assert service.killed == 1
        stage.another()
        stage.deliver(BATCHES)
        stage.count("kill -9 while migrating")


def _make_older(url: str) -> None:
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        at = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
        assert at == NEWEST, "there is a newer migration: undo that one here"
        for statement in OLDER:
            connection.execute(sa.text(statement))
    engine.dispose()


def _went_on(deliver: Callable[[int], None]) -> bool:
    deliver(1)
    return False


def before_the_hint(configuration: str, seed: int, folder: Path) -> None:
    killed("before hint", configuration, seed, folder)


def before_the_acknowledgement(configuration: str, seed: int, folder: Path) -> None:
    """Of batches that came by the Redis door and are stored."""
    fault = f"before acknowledgement:{1 + seed // 3 % 3}"
    with configured(configuration, folder, redis=True) as setup:
        assert setup.redis is not None
        way = partial(by_courier, var=folder / "var", redis_url=setup.redis.url)
        with staged(configuration, folder, seed, fault=fault, kills=1 + seed % 3, setup=setup, way=way) as stage:
            stage.deliver(BATCHES)
            eventually(lambda: stage.service.killed > 0, what="a process was killed")
            stage.deliver(BATCHES)
            stage.count("kill -9 before acknowledgement")


before_the_hint.configurations = (PROCESSES,)  # type: ignore[attr-defined]

SCENARIOS = {f"kill -9 {point}": partial(killed, point) for point in POINTS} | {
    "kill -9 while migrating": while_migrating,
    "kill -9 before hint": before_the_hint,
    "kill -9 before acknowledgement": before_the_acknowledgement,
}
