"""A process that writes batches to a database: `python -m tests.writing URL NAME BATCHES SOURCE…`.

Several greenlets write at once, each to the sources in an order of its own, so that groups hold several sources.
Prints how many changes were acknowledged, source by source.
"""

import random
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import partial

import gevent
import msgspec

from ingest_api.contract import Batch, Entry
from ingest_api.contract.wire import decode_submission
from realtime.store.commit import commit_batch
from realtime.store.store import Store

GREENLETS = 4
ENTRIES = 5  # of a batch


def main(url: str, name: str, batches: int, sources: list[str]) -> None:
    store = Store(url, lambda _: None)
    acknowledged: Counter[str] = Counter()

    def write(greenlet: int) -> None:
        for number in range(batches):
            for source in random.sample(sources, len(sources)):
                now = datetime.now(UTC)
                batch = Batch(
                    source=source,
                    run_id=f"{name}-{greenlet}",
                    batch_id=f"{name}-{greenlet}-{number}",
                    entries=[
                        Entry(key=f"{name}-{greenlet}-{number}-{n}", data={"n": n}, observed_at=now)
                        for n in range(ENTRIES)
                    ],
                )
                submission = decode_submission(msgspec.json.encode(batch), received_at=now)
                commit = partial(commit_batch, submission=submission, epoch=store.epoch)
                receipt = store.write(commit, source).receipt
                acknowledged[source] += receipt.new

    gevent.joinall([gevent.spawn(write, greenlet) for greenlet in range(GREENLETS)], raise_error=True)
    store.close()
    sys.stdout.write(msgspec.json.encode(acknowledged).decode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
