"""The Redis door: a consumer group on a stream, one record a batch. Stores, then acknowledges.

A record stays with the group until it is stored, or kept as a dead letter. One whose consumer died is claimed by
another; one that five consumers could not finish is a dead letter. While the store is away nothing is given up.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import redis
import structlog

from ingest_api.contract import Receipt, Submission, wire
from ingest_api.contract.errors import ContractError, NotABatch, Unavailable
from ingest_api.intake import Intake

STREAM = "portalwire:ingest"
GROUP = "portalwire"
FIELD = b"batch"
BLOCK = 2.0  # seconds to wait for a record; less than the client's socket timeout
AT_ONCE = 16  # records read at a time
TRIES = 5
CLAIM_AFTER = 15.0  # seconds without a word of its consumer after which a record is another's
TIDY_EVERY = 5.0  # seconds
FORGET_AFTER = 3600.0  # seconds after which a silent consumer with nothing pending is forgotten
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds between tries while something is away

log = structlog.get_logger()

Record = tuple[bytes, dict[bytes, bytes]]
"""A record's id and its fields."""


class GaveUp(ContractError):
    """The server failed five times while storing this batch; its log says why."""

    code = "gave_up"


class StreamDoor:
    """One consumer of the group. `client` must wait longer for an answer than BLOCK."""

    def __init__(self, client: redis.Redis, intake: Intake, consumer: str, claim_after: float = CLAIM_AFTER) -> None:
        self._client = client
        self._intake = intake
        self._consumer = consumer
        self._claim_after = int(claim_after * 1000)
        self._tidied = 0.0

    def run(self) -> None:
        """Takes records, for ever; goes on when Redis comes back, whatever it forgot."""
        tries = 0
        while True:
            try:
                self._open_group()
                tries = 0
                while True:
                    self._turn()
            except redis.ResponseError as error:
                log.warning("redis door begins anew", error=str(error))  # flushed: the group is gone
            except redis.RedisError as error:
                (log.debug if tries else log.warning)("redis away", error=str(error))
            time.sleep(_pause(tries))
            tries += 1

    def _open_group(self) -> None:
        try:
            self._client.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def _turn(self) -> None:
        if time.monotonic() - self._tidied > min(TIDY_EVERY, self._claim_after / 1000):
            self._claim()
            self._trim()
            self._forget_consumers()
            self._tidied = time.monotonic()
        read: Any = self._client.xreadgroup(
            GROUP, self._consumer, {STREAM: ">"}, count=AT_ONCE, block=int(BLOCK * 1000)
        )
        for _, records in read or ():
            self._take(records)

    def _claim(self) -> None:
        """Takes over what others left, one record at a time: should it end this process too, its neighbours are not
        counted as tried."""
        start: Any = "0-0"
        while True:
            claimed: Any = self._client.xautoclaim(STREAM, GROUP, self._consumer, self._claim_after, start, count=1)
            start, records = claimed[0], claimed[1]
            for record, fields in records:
                pending: Any = self._client.xpending_range(STREAM, GROUP, record, record, 1)
                tried = pending and pending[0]["times_delivered"] > TRIES
                self._take([(record, fields)], GaveUp() if tried else None)
            if start == b"0-0":
                return

    def _take(self, records: Sequence[Record], given_up: ContractError | None = None) -> None:
        """Stores records, or keeps them as dead letters, however long the store is away; acknowledges each that is
        finished. One that fails otherwise stays pending, and is claimed again."""
        tries = 0
        while records:
            structlog.contextvars.clear_contextvars()
            outcomes = [given_up] * len(records) if given_up else self._stored(records)
            finished: list[bytes] = []
            waiting: list[Record] = []
            for (record, fields), outcome in zip(records, outcomes, strict=True):
                problem = self._settled(record, fields, outcome)
                if problem is None:
                    finished.append(record)
                elif isinstance(problem, Unavailable):
                    waiting.append((record, fields))
            if finished:
                self._client.xack(STREAM, GROUP, *finished)
            records = waiting
            if records:
                (log.debug if tries else log.warning)("records wait for the store", records=len(records))
                time.sleep(_pause(tries))
                tries += 1
                # still ours, and not one try more
                self._client.xclaim(STREAM, GROUP, self._consumer, 0, [record for record, _ in records], justid=True)

    def _stored(self, records: Sequence[Record]) -> list[Receipt | Exception]:
        """What came of each; they go to the store together, in order."""
        received_at = datetime.now(UTC)
        return self._intake.entries([partial(_submission, fields, received_at) for _, fields in records])

    def _settled(self, record: bytes, fields: dict[bytes, bytes], outcome: object) -> Exception | None:
        """None when the record is finished: stored, or a dead letter. Else what is in the way."""
        try:
            if isinstance(outcome, ContractError) and not isinstance(outcome, Unavailable):
                self._intake.bury(fields.get(FIELD, b""), outcome)
            elif isinstance(outcome, Exception):
                raise outcome
        except Unavailable as error:
            return error
        except Exception as error:
            log.exception("batch failed", record=record.decode())
            return error
        return None

    def _trim(self) -> None:
        """Drops what is acknowledged: below the oldest pending record and what was not delivered yet."""
        groups: Any = self._client.xinfo_groups(STREAM)
        delivered = next((group["last-delivered-id"] for group in groups if group["name"] == GROUP.encode()), b"0-0")
        pending: Any = self._client.xpending(STREAM, GROUP)
        below = [_after(delivered), *([pending["min"]] if pending["pending"] else [])]
        self._client.xtrim(STREAM, minid=min(below, key=_order).decode(), approximate=False)

    def _forget_consumers(self) -> None:
        consumers: Any = self._client.xinfo_consumers(STREAM, GROUP)
        for consumer in consumers:
            if not consumer["pending"] and consumer["idle"] > FORGET_AFTER * 1000:
                self._client.xgroup_delconsumer(STREAM, GROUP, consumer["name"])


def _submission(fields: dict[bytes, bytes], received_at: datetime) -> Submission:
    if FIELD not in fields:
        raise NotABatch(f"a record of {STREAM} has a field `batch`")
    return wire.open_submission(fields[FIELD], received_at)


def _pause(tries: int) -> float:
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(tries, 10))


def _order(record: bytes) -> tuple[int, int]:
    milliseconds, number = record.split(b"-")
    return int(milliseconds), int(number)


def _after(record: bytes) -> bytes:
    milliseconds, number = _order(record)
    return b"%d-%d" % (milliseconds, number + 1)
