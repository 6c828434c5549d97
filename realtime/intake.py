"""What stands behind the doors: reads off the event loop, commits, tells."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
import structlog

from ingest_api.contract import Batch, Receipt, RunReport, SourceInfo, Submission
from ingest_api.contract.errors import ContractError
from ingest_api.intake import Reading
from ingest_api.letter import letter
from realtime.metrics import Metrics
from realtime.store import holding, letters, told
from realtime.store.commit import Committed, commit_batch
from realtime.store.holding import Decision
from realtime.store.moments import now
from realtime.store.store import Store

T = TypeVar("T")

log = structlog.get_logger()


class StoreIntake:
    """The Intake of the doors, and the decisions of people, on a store. Batches of `quiet` sources are logged for
    debugging only."""

    def __init__(self, store: Store, metrics: Metrics, quiet: Callable[[str], bool]) -> None:
        self._store = store
        self._quiet = quiet
        self._metrics = metrics

    def entries(
        self, readings: Sequence[Reading], permit: Callable[[str], None] | None = None
    ) -> list[Receipt | Exception]:
        outcomes: list[Any] = self.aside(partial(_read, readings))
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

    def aside(self, work: Callable[[], T]) -> T:
        return self._store.aside(work)

    def run(self, report: RunReport) -> None:
        structlog.contextvars.bind_contextvars(run_id=report.run_id, source=report.source)
        self._store.write(partial(told.record_run, report=report), report.source)
        self._metrics.run(report)

    def source(self, info: SourceInfo) -> None:
        structlog.contextvars.bind_contextvars(source=info.name)
        self._store.write(partial(told.configure, info=info), info.name)

    def receipt(self, source: str, batch_id: str, digest: str | None) -> Receipt:
        return self._store.read(partial(letters.receipt, source=source, batch_id=batch_id, digest=digest))

    def bury(self, content: bytes, error: ContractError) -> None:
        kept = self.aside(partial(letter, content, error))
        self._store.write(partial(letters.bury, letter=kept, at=now()), kept.source)
        log.warning("batch buried", source=kept.source, batch_id=kept.batch_id, reason=kept.dead.rejected.error)

    def decide(self, hold: int, decision: Decision) -> int:
        """Approves or discards a held run; returns how many entries that removed. Raises NotFound."""
        stretch = self._store.write(partial(holding.decide, hold_id=hold, decision=decision, at=now()))
        log.info("hold decided", hold=hold, decision=decision, source=stretch.source, removed=len(stretch.changes))
        return len(stretch.changes)


def _read(readings: Sequence[Reading]) -> list[Submission | ContractError]:
    """Each as a submission, or what is wrong with it."""
    return [_submission(reading) for reading in readings]


def _submission(reading: Reading) -> Submission | ContractError:
    try:
        return reading()
    except ContractError as error:
        return error
