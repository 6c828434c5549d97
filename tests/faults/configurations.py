"""What a server can run on: each configuration of the table, with databases of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.redis_door import environment
from tests.servers import PostgresServer, RedisServer

SQLITE, POSTGRESQL, PROCESSES = CONFIGURATIONS = ("SQLite", "PostgreSQL", "PostgreSQL + Redis + 3 processes")


@dataclass
class Configured:
    """`environment` is that of a server; what it needs runs."""

    environment: dict[str, str]
    postgres: PostgresServer | None = None
    redis: RedisServer | None = None


@contextmanager
def configured(configuration: str, folder: Path, *, redis: bool = False) -> Iterator[Configured]:
    """What a server of a configuration needs; `redis` gives it a Redis in any of them."""
    with ExitStack() as stack:
        made = Configured({"PORTALWIRE_DATABASE_URL": f"sqlite:///{folder / 'server.db'}"})
        if configuration != SQLITE:
            short = stack.enter_context(tempfile.TemporaryDirectory(prefix="portalwire-pg-"))  # for its socket's path
            made.postgres = PostgresServer(Path(short))
            stack.callback(made.postgres.kill)
            made.environment["PORTALWIRE_DATABASE_URL"] = made.postgres.create()
        if configuration == PROCESSES or redis:
            made.redis = RedisServer(folder)
            stack.callback(made.redis.kill)
            made.redis.start()
            made.environment |= environment(made.redis.url)
        if configuration == PROCESSES:
            made.environment["PORTALWIRE_PROCESSES"] = "3"
        yield made
