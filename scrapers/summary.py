"""What came of a run, in one sentence and in numbers."""

from dataclasses import dataclass
from typing import Any

import msgspec

from ingest_api.contract import Receipt, RunReport
from scrapers.deliver.outbox import Outbox

COUNTS = ("new", "changed", "corrected", "removed", "unchanged", "late")


class Totals(msgspec.Struct, kw_only=True):
    """The receipts of a run added up."""

    new: int = 0
    changed: int = 0
    corrected: int = 0
    removed: int = 0
    unchanged: int = 0
    late: int = 0
    rejected: int = 0
    held: int | None = None

    @classmethod
    def of(cls, receipts: list[Receipt]) -> "Totals":
        held = next((receipt.held for receipt in receipts if receipt.held is not None), None)
        counts = {name: sum(getattr(receipt, name) for receipt in receipts) for name in COUNTS}
        return cls(**counts, rejected=sum(len(receipt.rejected) for receipt in receipts), held=held)


@dataclass(frozen=True)
class Summary:
    """A run and its delivery. `pending` counts the requests that still wait in the spool, `elsewhere` the batches that
    another process (the scheduler) has delivered, and whose receipts it has."""

    report: RunReport
    totals: Totals
    receipts: int
    pending: int
    why_pending: str | None
    refused: list[str]
    elsewhere: int

    @classmethod
    def of(cls, report: RunReport, outbox: Outbox) -> "Summary":
        courier = outbox.courier
        pending = courier.spool.pending()
        accounted = len(courier.receipts) + len(courier.refused) + len(pending)
        return cls(
            report=report,
            totals=Totals.of(courier.receipts),
            receipts=len(courier.receipts),
            pending=len(pending),
            why_pending=str(courier.failure) if courier.failure else None,
            refused=[f"{path}: {why}" for path, why in courier.refused],
            elsewhere=max(0, outbox.batches - accounted),
        )

    @property
    def exit_code(self) -> int:
        """0 delivered, 1 the portal, 3 the delivery."""
        if self.report.state != "complete":
            return 1
        return 3 if self.pending or self.refused else 0

    def fields(self) -> dict[str, Any]:
        """For a log."""
        counts = {name: value for name, value in msgspec.structs.asdict(self.totals).items() if value}
        return {**told_fields(self.report), **counts, "pending": self.pending}

    def lines(self) -> list[str]:
        """For a person."""
        counts = [f"{getattr(self.totals, name)} {name}" for name in ("new", "changed", "removed", "unchanged")]
        counts += [f"{value} {name}" for name in ("corrected", "late") if (value := getattr(self.totals, name))]
        said = told(self.report)
        if self.receipts:
            said.append(", ".join([*counts, f"{self.totals.rejected} rejected"]))
        if self.totals.held is not None:
            said.append(f"held: too much would vanish, a person must decide hold {self.totals.held}")
        said += [f"refused by the server: {refused}" for refused in self.refused]
        if self.elsewhere:
            said.append(f"{self.elsewhere} batches were delivered by another process, whose log has their receipts")
        if self.pending:
            said.append(f"{self.pending} requests wait in the spool for the next run: {self.why_pending}")
        return said


def told(report: RunReport) -> list[str]:
    """A report for a person."""
    said = [f"{report.source}: {report.state}, {report.seen} entries on {report.pages} pages"]
    fault = report.fault
    if fault:
        said.append(f"{fault.code}: {fault.message}")
        said += [f"  page {fault.page}"] if fault.page else []
        said += [f"  selector {fault.selector!r}"] if fault.selector else []
        said += [f"  saved as {fault.saved}"] if fault.saved else []
    return said


def told_fields(report: RunReport) -> dict[str, Any]:
    """A report for a log."""
    fault = {"fault": report.fault.code, "reason": report.fault.message} if report.fault else {}
    return {"state": report.state, "seen": report.seen, "pages": report.pages, **fault}
