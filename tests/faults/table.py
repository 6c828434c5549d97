"""What a scenario of faults counted: scenario × promise → violations, over how many operations."""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

RUNS = 0
"""In a promise's place: of the runs of a scenario, those that failed, whatever it was that did not hold."""

ROWS = Path(os.environ.get("PORTALWIRE_FAULT_ROWS", "build/faults.jsonl"))


@dataclass(frozen=True)
class Row:
    """One count. `promise` is a number of docs/architecture.md's twelve, or RUNS; `counted` says over how many of
    `what`."""

    scenario: str
    configuration: str  # "SQLite", "PostgreSQL", "PostgreSQL + Redis + 3 processes"
    promise: int
    violations: int
    counted: int
    what: str


def keep(row: Row) -> None:
    """For the table of docs/reliability.md."""
    ROWS.parent.mkdir(parents=True, exist_ok=True)
    with ROWS.open("a") as file:
        file.write(json.dumps(asdict(row)) + "\n")


def record(row: Row, violations: Iterable[object] = ()) -> None:
    """Keeps a row, and fails if it counted a violation or nothing at all."""
    keep(row)
    assert row.violations == 0, f"promise {row.promise}: {row.violations} of {row.counted} {row.what}: {violations}"
    assert row.counted > 0, f"promise {row.promise}: no {row.what} were counted"


def read() -> list[Row]:
    """What was kept since the file was removed."""
    return [Row(**json.loads(line)) for line in ROWS.read_text().splitlines()] if ROWS.exists() else []
