"""What networks do, at each of the four places where there is one."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from tests.conftest import eventually
from tests.faults.configurations import POSTGRESQL, PROCESSES, configured
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage, staged
from tests.faults.table import Row, record
from tests.people import Person

Fault = Callable[[Proxy], AbstractContextManager[None]]

ROUNDS = 4  # faults, one after the other
BATCHES = 3  # delivered during each

SLOW: dict[str, Fault] = {  # everything arrives, some time
    "delayed": lambda proxy: proxy.delayed(0.05),
    "trickling": lambda proxy: proxy.trickling(100, 0.005),
}
LOSING: dict[str, Fault] = {
    "refused": lambda proxy: proxy.refused(),
    "silent": lambda proxy: proxy.silent(),
    "answers lost": lambda proxy: proxy.losing_answers(),
}


def before_the_door(configuration: str, seed: int, folder: Path) -> None:
    """Between the sender and the server."""
    with Proxy() as proxy, staged(configuration, folder, seed, to_door=proxy) as stage:
        for name in _some({**SLOW, **LOSING}, seed):
            stage.gather()
            with stage.delivering(BATCHES) as delivery, {**SLOW, **LOSING}[name](proxy):
                if name in SLOW:
                    delivery.result()
                else:
                    stage.misses(delivery)
        stage.count("network: sender and server")


def before_the_clients(configuration: str, seed: int, folder: Path) -> None:
    """Between the clients and the server."""
    faults = {**SLOW, "refused": LOSING["refused"], "silent": LOSING["silent"]}
    with Proxy() as proxy, staged(configuration, folder, seed, to_clients=proxy) as stage:
        for name in _some(faults, seed):
            stage.gather()
            with faults[name](proxy):
                stage.sender.deliver(BATCHES)
            proxy.cut()
            stage.sender.deliver(BATCHES)
        stage.another()
        stage.deliver(BATCHES)  # when nothing keeps a client from its server: these count for promise 5
        stage.count("network: clients and server", proxy.windows)


def before_redis(configuration: str, seed: int, folder: Path) -> None:
    """Between the server processes and Redis, which they need for nothing but speed."""
    with configured(configuration, folder) as setup:
        assert setup.redis is not None
        with Proxy(setup.redis.port) as proxy:
            url = f"redis://127.0.0.1:{proxy.port}/0"
            with staged(configuration, folder, seed, setup=setup, environment={"PORTALWIRE_REDIS_URL": url}) as stage:
                for name in _some({**SLOW, **LOSING}, seed):
                    stage.gather()
                    with {**SLOW, **LOSING}[name](proxy):
                        stage.deliver(BATCHES)
                        _all_have_it(stage)
                stage.count("network: server and Redis")


def before_postgresql(configuration: str, seed: int, folder: Path) -> None:
    """Between the server and PostgreSQL; also just the answer to a COMMIT is lost."""
    faults: dict[str, Fault] = {
        **SLOW,
        "refused": LOSING["refused"],
        "silent": LOSING["silent"],
        "commit's answer lost": lambda proxy: proxy.losing_answers(b"COMMIT"),
    }
    with configured(configuration, folder) as setup:
        assert setup.postgres is not None
        with Proxy(setup.postgres.port) as proxy:
            url = setup.environment["PORTALWIRE_DATABASE_URL"].replace(f":{proxy.target}/", f":{proxy.port}/")
            changed = {"PORTALWIRE_DATABASE_URL": url}
            with staged(configuration, folder, seed, setup=setup, environment=changed) as stage:
                for name in _some(faults, seed, "commit's answer lost"):
                    stage.gather()
                    lost = proxy.done["answer lost"]
                    with stage.delivering(BATCHES) as delivery, faults[name](proxy):
                        if name in SLOW:
                            delivery.result()
                        elif name == "commit's answer lost":
                            eventually(
                                lambda lost=lost: proxy.done["answer lost"] > lost, what="a COMMIT's answer is lost"
                            )
                        else:
                            stage.misses(delivery)
                    stage.deliver(BATCHES)
                _say(stage, proxy)
                stage.count("network: server and PostgreSQL")


before_redis.configurations = (PROCESSES,)  # type: ignore[attr-defined]
before_postgresql.configurations = (POSTGRESQL, PROCESSES)  # type: ignore[attr-defined]


def _some(faults: dict[str, Fault], seed: int, *always: str) -> list[str]:
    """The names of some faults, in an order of the seed's."""
    chosen = random.Random(seed)
    return chosen.sample([*always, *chosen.choices(sorted(faults), k=ROUNDS - len(always))], ROUNDS)


def _say(stage: Stage, proxy: Proxy) -> None:
    """Promise 2, of notes: each COMMIT reaches PostgreSQL, its answer reaches nobody, and the note is told once."""
    person = Person(stage.service.url, transports=["websocket"])
    person.ask("join", {"room": "hall"})
    said = [f"note {number} of {ROUNDS}" for number in range(ROUNDS)]
    for text in said:
        with proxy.losing_an_answer(b"COMMIT", after=text.encode()):
            person.ask("message", {"room": "hall", "text": text})
    person.close()
    kept = stage.notes()
    twice = [text for text in said if kept[text] > 1]
    record(Row("network: server and PostgreSQL, notes", stage.configuration, 2, len(twice), len(kept), "notes"), twice)


def _all_have_it(stage: Stage) -> None:
    head = stage.sender.acknowledged[-1].receipt["offset"]
    for client in stage.clients:
        eventually(lambda client=client: client.cursor >= head, what=f"{client.name} has it, with the fault there")


SCENARIOS = {
    "network: sender and server": before_the_door,
    "network: clients and server": before_the_clients,
    "network: server and Redis": before_redis,
    "network: server and PostgreSQL": before_postgresql,
}
