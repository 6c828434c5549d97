"""What stands behind the doors: decodes off the event loop, commits, tells."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog

from ingest_api.contract import Batch, Receipt, RunReport, SourceInfo, Submission, wire
from ingest_api.contract.errors import ContractError
from ingest_api.intake import Delivery
from ingest_api.letter import Letter
from realtime.metrics import Metrics
from realtime.store import holding, letters, told
from realtime.store.commit import Committed, commit_batch
from realtime.store.holding import Decision
from realtime.store.moments import now
from realtime.store.store import Store

log = structlog.get_logger()


class StoreIntake:
    """The Intake of the doors, and the decisions of people, on a store. Batches of `quiet` sources are logged for
    debugging only."""

    def __init__(self, store: Store, metrics: Metrics, quiet: Callable[[str], bool]) -> None:
        self._store = store
        self._quiet = quiet
        self._metrics = metrics

    def entries(
        self, deliveries: Sequence[Delivery], received_at: datetime, permit: Callable[[str], None] | None = None
    ) -> list[Receipt | Exception]:
        outcomes: list[Any] = self._store.aside(partial(_read, deliveries, received_at))
        places = [place for place, read in enumerate(outcomes) if isinstance(read, Submission)]
        if permit is not None:
            for place in places:
                permit(outcomes[place].batch.source)
        commits = [self._commit(outcomes[place]) for place in places]
        for place, committed in zip(places, self._store.write_all(commits), strict=True):
            submission, outcomes[place] = outcomes[place], committed
            if isinstance(committed, Committed):
                outcomes[place] = committed.receipt
                self._say(submission.batch, committed.receipt)
        return outcomes

    def _commit(self, submission: Submission) -> tuple[Callable[[sa.Connection], Committed], str]:
        return partial(commit_batch, submission=submission, epoch=self._store.epoch), submission.batch.source

    def _say(self, batch: Batch, receipt: Receipt) -> None:
        structlog.contextvars.bind_contextvars(run_id=batch.run_id, source=batch.source)
        self._metrics.batch(batch.source, receipt)
        (log.debug if self._quiet(batch.source) else log.info)(
            "batch stored",
            batch_id=batch.batch_id,
            entries=len(batch.entries),
            new=receipt.new,
            changed=receipt.changed + receipt.corrected,
            removed=receipt.removed,
            rejected=len(receipt.rejected),
            offset=receipt.offset,
            held=receipt.held,
        )

    def run(self, report: RunReport) -> None:
        structlog.contextvars.bind_contextvars(run_id=report.run_id, source=report.source)
        self._store.write(partial(told.record_run, report=report), report.source)
        self._metrics.run(report)

    def source(self, info: SourceInfo) -> None:
        structlog.contextvars.bind_contextvars(source=info.name)
        self._store.write(partial(told.configure, info=info), info.name)

    def receipt(self, source: str, batch_id: str, digest: str | None) -> Receipt:
        return self._store.read(partial(letters.receipt, source=source, batch_id=batch_id, digest=digest))

    def bury(self, letter: Letter) -> None:
        self._store.write(partial(letters.bury, letter=letter, at=now()), letter.source)
        log.warning("batch buried", source=letter.source, batch_id=letter.batch_id, reason=letter.dead.rejected.error)

    def decide(self, hold: int, decision: Decision) -> int:
        """Approves or discards a held run; returns how many entries that removed. Raises NotFound."""
        stretch = self._store.write(partial(holding.decide, hold_id=hold, decision=decision, at=now()))
        log.info("hold decided", hold=hold, decision=decision, source=stretch.source, removed=len(stretch.changes))
        return len(stretch.changes)


def _read(deliveries: Sequence[Delivery], received_at: datetime) -> list[Submission | ContractError]:
    """Each as a submission, or what is wrong with it."""
    return [_submission(delivery, received_at) for delivery in deliveries]


def _submission(delivery: Delivery, received_at: datetime) -> Submission | ContractError:
    try:
        return wire.decode_submission(delivery.body, delivery.media, received_at)
    except ContractError as error:
        return error
