"""What was sent comes again, doubled and shuffled, through both doors: nothing moves."""

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from realtime.store.engine import open_engine
from realtime.store.schema import batches, entries, sources
from tests.faults import counts
from tests.faults.configurations import configured
from tests.faults.scripted import Sent
from tests.faults.sender import Receipt, by_http
from tests.faults.stage import SOURCE, Stage, staged
from tests.redis_door import RedisDoor

BATCHES = 12  # before they come again, and half as many while they do
AT_ONCE = 4
NAMES = ("sent again, doubled and shuffled", "sent again when its receipts are gone")


def replayed(configuration: str, seed: int, folder: Path) -> None:
    """Known by their ids."""
    counts.note(NAMES[0], configuration, after_all(configuration, seed, folder))


def replayed_and_forgotten(configuration: str, seed: int, folder: Path) -> None:
    """As after the days that receipts are kept: only the moments that they tell show how old they are. All but the
    newest complete one, which is no older than what is known: it is another look at the portal of the same moment."""
    counts.note(NAMES[1], configuration, after_all(configuration, seed, folder, forgotten=True))


def after_all(
    configuration: str, seed: int, folder: Path, *, forgotten: bool = False, bug: str = ""
) -> dict[int, counts.Found]:
    """What was broken of each promise."""
    chosen = random.Random(seed)
    with configured(configuration, folder, redis=True) as setup:
        assert setup.redis is not None
        url = setup.environment["PORTALWIRE_DATABASE_URL"]
        with (
            staged(configuration, folder, seed, setup=setup, bug=bug) as stage,
            closing(RedisDoor(stage.service, setup.redis.url)) as door,
        ):
            stage.deliver(BATCHES)
            sent = [each.sent for each in stage.sender.acknowledged]
            had = counts.kept_of(url, SOURCE)
            if forgotten:
                _forget(url)
                sent.remove([each for each in sent if each.batch["complete"]][-1])
            before = counts.log_of(url, SOURCE), _state(url)
            receipts = {each.sent.batch["batch_id"]: each.receipt for each in stage.sender.acknowledged}
            answers = _again(sent, stage, door, chosen)
            after = counts.log_of(url, SOURCE), _state(url)
            wrong = [change for change in after[0] if change not in before[0]]
            if not forgotten:
                wrong += [answer for name, answer in answers if answer != receipts[name]]
            moved = [(was, now) for was, now in zip(before[1], after[1], strict=False) if was != now]
            moved += [("rows", len(before[1]), len(after[1]))] * (len(before[1]) != len(after[1]))
            with stage.delivering(BATCHES // 2):  # and while others come
                _again(sent, stage, door, chosen)
            wrong += door.letters()
            stage.settle()
            stage.kept |= had
            found = stage.found()
            found[2] = ([*found[2][0], *wrong], 4 * len(sent), "batches that came again")
            found[7] = ([*found[7][0], *moved], found[7][1] + len(before[1]), "receipts, and entries after all of it")
            return found


def _again(
    sent: Sequence[Sent], stage: Stage, door: RedisDoor, chosen: random.Random
) -> list[tuple[str, Receipt | None]]:
    """Each twice, by either door; id -> what the POST door answered."""
    post = by_http(stage.service.url)

    def send(batch: dict[str, Any], by_redis: bool) -> list[tuple[str, Receipt | None]]:
        if by_redis:
            door.add(json.dumps(batch).encode())  # byte for byte, as requests makes it
            return []
        return [(batch["batch_id"], post(batch))]

    twice = [(each.batch, chosen.random() < 0.5) for each in [*sent, *sent]]
    chosen.shuffle(twice)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = [answer for each in pool.map(lambda one: send(*one), twice) for answer in each]
    door.drain()
    return answers


def _state(url: str) -> list[dict[str, Any]]:
    """The source's head and moment, and its entries as they are stored."""
    engine = open_engine(url, writes=False)
    with engine.connect() as connection:
        source = sa.select(sources.c.head, sources.c.as_of, sources.c.present).where(sources.c.name == SOURCE)
        rows = [*connection.execute(source), *connection.execute(sa.select(entries).order_by(entries.c.key))]
    engine.dispose()
    return [dict(row._mapping) for row in rows]


def _forget(url: str) -> None:
    engine = open_engine(url, writes=True)
    with engine.begin() as connection:
        connection.execute(sa.delete(batches))
    engine.dispose()


SCENARIOS = dict(zip(NAMES, (replayed, replayed_and_forgotten), strict=True))
