"""The batch transaction alone: entries a second that are new, a tenth changed, unchanged.

`python -m benchmarks.commit URL…`
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import msgspec

from ingest_api.contract import Batch, Entry, Submission
from ingest_api.contract.wire import decode_submission
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
ENTRIES = 20_000  # of each measurement


def submissions(source: str, size: int, number: int, changed: int) -> Iterator[Submission]:
    """A view of a source of ENTRIES entries in batches of `size`; every tenth price is that of view `changed`."""
    at = START + timedelta(minutes=number)
    for first in range(0, ENTRIES, size):
        entries = [
            Entry(
                key=f"SKU-{n:06}",
                topic=f"group {n % 20}",
                url=f"https://vendor-x.example/items/{n}",
                data={
                    "name": f"Beam HEB {n}",
                    "price": f"{n}.{changed if n % 10 == 0 else 0}",
                    "currency": "EUR",
                    "stock": n % 77,
                },
                observed_at=at,
            )
            for n in range(first, first + size)
        ]
        batch = Batch(source=source, run_id=f"run-{number}", batch_id=f"{number}-{first}", entries=entries)
        yield decode_submission(msgspec.json.encode(batch), received_at=at)


def measure(url: str, size: int) -> dict[str, float]:
    """Entries a second: the median batch of each kind."""
    engine = open_engine(url, writes=True)
    migrate(engine)
    source = f"bench_{size}_{time.time_ns()}"
    speeds = {}
    with engine.connect() as connection:
        for number, (kind, changed) in enumerate((("new", 0), ("10% changed", 1), ("unchanged", 1))):
            took = []
            for submission in list(submissions(source, size, number, changed)):
                began = time.perf_counter()
                with connection.begin():
                    commit_batch(connection, submission, "epoch")
                took.append(time.perf_counter() - began)
            speeds[kind] = size / median(took)
    engine.dispose()
    return speeds


def main(urls: list[str]) -> None:
    for url in urls:
        for size in (500, 5000):
            told = " · ".join(f"{kind} {speed / 1000:.0f}k" for kind, speed in measure(url, size).items())
            print(f"{url.split(':')[0]:22} {size:5} a batch: {told} entries/s")


if __name__ == "__main__":
    main(sys.argv[1:])
