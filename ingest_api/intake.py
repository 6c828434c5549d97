"""The one call that every door makes."""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from ingest_api.contract import Receipt, RunReport, SourceInfo, Submission
from ingest_api.contract.errors import ContractError

T = TypeVar("T")

Reading = Callable[[], Submission]
"""A batch as it came, not read yet: a call decompresses, decodes and checks it, and raises the ContractError that says
why it is none."""


class Intake(Protocol):
    """What stands behind the doors. Each call returns after the commit, and raises a ContractError."""

    def entries(
        self, readings: Sequence[Reading], permit: Callable[[str], None] | None = None
    ) -> list[Receipt | Exception]:
        """Takes batches, those of a source in order, and returns what came of each: its receipt, or why it was not
        stored. One says nothing about its neighbours. `permit` is asked with a batch's source before it is stored, and
        raises what it has against it."""
        ...

    def aside(self, work: Callable[[], T]) -> T:
        """The result of reading some other body, or what that raised. Like the readings of batches it is done while
        everybody else goes on: a body may be of 32 MiB."""
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

    def bury(self, content: bytes, error: ContractError) -> None:
        """Keeps a batch, as it came, that `error` says can never be stored; once however often it comes."""
        ...


def stored(intake: Intake, reading: Reading, permit: Callable[[str], None] | None = None) -> Receipt:
    """The receipt of one batch. Raises why it was not stored."""
    (outcome,) = intake.entries([reading], permit)
    if isinstance(outcome, Exception):
        try:
            raise outcome
        finally:  # or it and this frame hold each other, and the whole body, until somebody collects garbage
            del outcome
    return outcome
