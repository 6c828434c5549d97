"""The one call that every door makes."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ingest_api.contract import Receipt, RunReport, SourceInfo
from ingest_api.letter import Letter


class Intake(Protocol):
    """What stands behind the doors. Each call returns after the commit, and raises a ContractError."""

    def entries(
        self, body: bytes, media: str, received_at: datetime, permit: Callable[[str], None] | None = None
    ) -> Receipt:
        """Takes a batch as it came, decompressed. `permit` is asked with its source before anything is stored, and
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
