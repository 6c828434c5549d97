"""Redis and PostgreSQL stopped, killed, restarted and flushed while batches are on their way."""

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

from scrapers.deliver import redis_stream
from tests.faults.configurations import POSTGRESQL, PROCESSES, configured
from tests.faults.sender import by_courier
from tests.faults.stage import staged
from tests.servers import RedisServer

ROUNDS = 3
BATCHES = 3  # delivered in each, during the outage and after it
AGAIN = 1.0  # seconds without a receipt after which the courier adds a batch once more


def _killed(redis: RedisServer) -> None:
    redis.kill()


def _stopped(redis: RedisServer) -> None:
    redis.stop()


def _emptied(redis: RedisServer) -> None:
    """It lost its disk too."""
    redis.kill()
    shutil.rmtree(redis.folder / "appendonlydir")


def _flushed(redis: RedisServer) -> None:
    redis.flush()


REDIS: tuple[Callable[[RedisServer], None], ...] = (_killed, _stopped, _emptied, _flushed)


def of_redis(configuration: str, seed: int, folder: Path) -> None:
    """Batches come by the Redis door, from the scrapers' courier."""
    chosen = random.Random(seed)
    with (
        patch.object(redis_stream, "AGAIN_AFTER", AGAIN),
        configured(configuration, folder, redis=True) as setup,
    ):
        redis = setup.redis
        assert redis is not None
        way = partial(by_courier, var=folder / "var", redis_url=redis.url)
        with staged(configuration, folder, seed, setup=setup, way=way) as stage:
            for fault in chosen.sample(REDIS, ROUNDS):
                stage.gather()
                with stage.delivering(BATCHES) as delivery:
                    fault(redis)
                    if not redis.running:
                        stage.misses(delivery)
                        redis.start()
                stage.deliver(BATCHES)
            assert stage.sender.unanswered > 0, "nothing was missed"
            stage.count("Redis stopped, killed, emptied, flushed")


def of_postgresql(configuration: str, seed: int, folder: Path) -> None:
    chosen = random.Random(seed)
    with staged(configuration, folder, seed) as stage:
        postgres = stage.setup.postgres
        assert postgres is not None
        for end in chosen.choices((postgres.stop, postgres.kill), k=ROUNDS):
            stage.gather()
            with stage.delivering(BATCHES) as delivery:
                end()
                stage.misses(delivery)
                postgres.start()
            stage.deliver(BATCHES)
        assert stage.sender.unanswered > 0, "nothing was missed"
        stage.count("PostgreSQL stopped, killed")


of_postgresql.configurations = (POSTGRESQL, PROCESSES)  # type: ignore[attr-defined]

SCENARIOS = {"Redis stopped, killed, emptied, flushed": of_redis, "PostgreSQL stopped, killed": of_postgresql}
