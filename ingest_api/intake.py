"""The one call that every door makes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from ingest_api.contract import Receipt, RunReport, SourceInfo
from ingest_api.letter import Letter


class Delivery(NamedTuple):
    """A batch as it came, decompressed, and in which form."""

    body: bytes
    media: str


class Intake(Protocol):
    """What stands behind the doors. Each call returns after the commit, and raises a ContractError."""

    def entries(
        self, deliveries: Sequence[Delivery], received_at: datetime, permit: Callable[[str], None] | None = None
    ) -> list[Receipt | Exception]:
        """Takes batches, those of a source in order, and returns what came of each: its receipt, or why it was not
        stored. One says nothing about its neighbours. `permit` is asked with a batch's source before it is stored, and
        raises what it has against it."""
        ...

    def run(self, report: RunReport) -> None:
        """Takes word of a run."""
        ...

    def source(self, info: SourceInfo) -> None:
        """Takes a source's configuration."""
        ...

    def receipt(self, source: str, batch_id: str, digest: str | None) -> Receipt:
        """The receipt of a stored batch; raises NotFound, Buried, or BatchConflict for another content's digest."""
        ...

    def bury(self, letter: Letter) -> None:
        """Keeps a batch that can never be stored, once however often it comes."""
        ...


def stored(
    intake: Intake, delivery: Delivery, received_at: datetime, permit: Callable[[str], None] | None = None
) -> Receipt:
    """The receipt of one batch. Raises why it was not stored."""
    (outcome,) = intake.entries([delivery], received_at, permit)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
