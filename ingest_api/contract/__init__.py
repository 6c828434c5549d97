"""The wire contract between a scraper, the doors and the store. A leaf: it imports nothing of ours and no framework."""

from ingest_api.contract.batch import Batch, Receipt, Rejected, Submission
from ingest_api.contract.entry import Entry
from ingest_api.contract.source import Aggregate, Removal, RunFault, RunReport, SourceInfo

__all__ = [
    "Aggregate",
    "Batch",
    "Entry",
    "Receipt",
    "Rejected",
    "Removal",
    "RunFault",
    "RunReport",
    "SourceInfo",
    "Submission",
]
