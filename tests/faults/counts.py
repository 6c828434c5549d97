"""Violations of the promises: a sender's record, the log of the server and what clients kept, beside each other."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from ingest_api.letter import WHOLE
from realtime.store import read
from realtime.store.engine import open_engine
from realtime.store.schema import batches, changes, dead_letters, notes
from tests.faults.follower import Changes, Follower, Following
from tests.faults.scripted import Step
from tests.faults.sender import Sender
from tests.faults.table import Row, record

WITHIN = 2.0  # seconds from an acknowledgement to every connected client
Span = tuple[float, float]
Found = tuple[list[Any], int, str]
"""Violations, over how many, of what."""


def log_of(database_url: str, source: str) -> Changes:
    """Every change of a source as the database has it, whatever a server says."""
    engine = open_engine(database_url, writes=False)
    columns = [changes.c[name] for name in ("offset", "kind", "key", "version", "data")]
    with engine.connect() as connection:
        rows = connection.execute(sa.select(*columns).where(changes.c.source == source).order_by(changes.c.offset))
        log = [{**row._mapping, "data": json.loads(row.data)} for row in rows]
    engine.dispose()
    return log


def notes_of(database_url: str) -> Counter[str]:
    """The texts of all notes."""
    engine = open_engine(database_url, writes=False)
    try:
        with engine.connect() as connection:
            return Counter(connection.execute(sa.select(notes.c.text)).scalars())
    finally:
        engine.dispose()


def head_of(database_url: str, source: str) -> int:
    """The newest offset in the database."""
    engine = open_engine(database_url, writes=False)
    try:
        with engine.connect() as connection:
            return read.head(connection, source)
    finally:
        engine.dispose()


def kept_of(database_url: str, source: str) -> set[str]:
    """The ids of a source's batches that the database has, as a dead letter too."""
    letters = sa.select(dead_letters.c.batch_id).where(dead_letters.c.position == WHOLE)
    engine = open_engine(database_url, writes=False)
    with engine.connect() as connection:
        kept = set(connection.scalars(sa.select(batches.c.batch_id).where(batches.c.source == source)))
        kept |= set(connection.scalars(letters.where(dead_letters.c.source == source)))
    engine.dispose()
    return kept


def unkept(sender: Sender, kept: set[str]) -> list[Any]:
    """Promise 1: batches that were acknowledged and are missing, also where a later one shows the same entries."""
    names = [each.sent.batch["batch_id"] for each in sender.acknowledged]
    return [("no such batch", name) for name in names if name not in kept]


def lost(sender: Sender, log: Changes) -> Found:
    """Promise 1: changes that were acknowledged and are missing."""
    acknowledged = Counter(step for each in sender.acknowledged for step in each.sent.steps)
    missing = acknowledged - Counter(map(_step, log))
    return list(missing.elements()), acknowledged.total(), "acknowledged changes"


def extra(sender: Sender, log: Changes) -> Found:
    """Promise 2: changes beyond those that the portal made."""
    made = Counter(step for sent in sender.sent for step in sent.steps)
    return list((Counter(map(_step, log)) - made).elements()), len(log), "changes in the log"


def gaps(log: Changes) -> Found:
    """Promise 3: (expected, found) of an offset, or of an entry's version, that is not the one after the last."""
    wrong = [(place, change["offset"]) for place, change in enumerate(log, 1) if place != change["offset"]]
    versions: Counter[str] = Counter()
    for change in log:
        versions[change["key"]] += 1
        if change["version"] != versions[change["key"]]:
            wrong.append((versions[change["key"]], change["version"]))
    return wrong, len(log), "offsets"


def missed(clients: Sequence[Following], log: Changes) -> Found:
    """Promise 4: what clients missed, took twice or out of order, were told and is not so, or have not in the end."""
    found: list[Any] = []
    for client in clients:
        wrong = [*client.violations, *_odd(client, log)]
        present = _present(log)
        if client.steps() != present:
            wrong.append(("present", client.steps(), present))
        found += [(client.name, each) for each in wrong]
    return found, sum(len(life) for client in clients for life in client.lives), "changes that clients took"


def late(clients: Sequence[Following], sender: Sender, apart: Sequence[Span] = ()) -> Found:
    """Promise 5: acknowledged changes that a client, connected all the while, did not have in time. It is not looked
    at while it was `apart` from its server by a fault that it cannot know of."""
    wrong, looked = [], 0
    for client in clients:
        for at, sent, receipt in sender.acknowledged:
            span = (at, at + WITHIN)
            if not sent.steps or _touched(span, apart):
                continue
            if any(move.cursor >= receipt["offset"] and move.at <= span[1] for move in client.moves):
                looked += any(begin <= at <= end for begin, end in client.spans)
            elif any(begin <= span[0] and span[1] <= end for begin, end in client.spans):
                looked += 1
                wrong.append((client.name, receipt["offset"], at))
    return wrong, looked, "batches and the clients that were connected"


def differing(sender: Sender) -> Found:
    """Promise 7: receipts that do not say what the portal's record says."""
    wrong = []
    for _, sent, receipt in sender.acknowledged:
        told = sent.counts()
        said = {name: receipt[name] for name in told}
        if said != told:
            wrong.append((sent.batch["batch_id"], told, said))
    return wrong, len(sender.acknowledged), "receipts"


def told(clients: Sequence[Following], timed: bool) -> Found:
    """Promise 4, of the rest, which Python's clients keep: watermarks that said that a client has what it had not, and,
    where it is `timed`, ticks."""
    followers = [client for client in clients if isinstance(client, Follower)]
    wrong: list[Any] = [(client.name, "watermark", each) for client in followers for each in client.early]
    counted = sum(client.marks for client in followers)
    for client in followers if timed else ():
        twice, ticks, _ = ticking(client.ticks)
        wrong += [(client.name, "tick", each) for each in twice]
        counted += ticks
    return wrong, counted, "watermarks and ticks"


def ticking(ticks: Sequence[str]) -> Found:
    """Promise 4, of the clock: ticks of one second that came twice, or late ones that came after newer ones."""
    seconds = [tick[:19] for tick in ticks]
    wrong = [(before, after) for before, after in pairwise(seconds) if after <= before]
    return wrong, len(ticks), "ticks"


def note(scenario: str, configuration: str, found: dict[int, Found]) -> None:
    """Records a row for each promise. All are recorded before the first that is broken fails."""
    broken: list[AssertionError] = []
    for promise, (violations, counted, what) in found.items():
        try:
            record(Row(scenario, configuration, promise, len(violations), counted, what), violations[:5])
        except AssertionError as error:
            broken.append(error)
    if broken:
        raise broken[0]


def _odd(client: Following, log: Changes) -> list[Any]:
    """Of its last life: what is not in the log; in each: what came twice or out of order, or was left out."""
    written = {change["offset"]: _step(change)[1:] for change in log}
    odd: list[Any] = [
        ("not in the log", change["offset"], _step(change))
        for change in client.lives[-1]
        if written.get(change["offset"]) != _step(change)[1:]
    ]
    for life in client.lives:
        offsets = [change["offset"] for change in life]
        odd += [("after", *pair) for pair in pairwise(offsets) if pair[1] <= pair[0]]
        if client.history and offsets and offsets != list(range(1, offsets[-1] + 1)):
            odd.append(("left out", sorted(set(range(1, offsets[-1] + 1)) - set(offsets))))
    return odd


def _present(log: Changes) -> dict[str, int]:
    present: dict[str, int] = {}
    for change in log:
        if change["kind"] == "removed":
            present.pop(change["key"], None)
        else:
            present[change["key"]] = change["data"]["step"]
    return present


def _step(change: dict[str, Any]) -> Step:
    return change["kind"], change["key"], None if change["kind"] == "removed" else change["data"]["step"]


def _touched(span: Span, others: Sequence[Span]) -> bool:
    return any(begin < span[1] and end > span[0] for begin, end in others)
