"""The one call that every door makes."""

from datetime import datetime
from typing import Protocol

from ingest_api.contract import Receipt, RunReport, SourceInfo


class Intake(Protocol):
    """What stands behind the doors. Each call returns after the commit, and raises a ContractError."""

    def entries(self, body: bytes, media: str, received_at: datetime) -> Receipt:
        """Takes a batch as it came, decompressed."""
        ...

    def run(self, report: RunReport) -> None:
        """Takes word of a run."""
        ...

    def source(self, info: SourceInfo) -> None:
        """Takes a source's configuration."""
        ...
