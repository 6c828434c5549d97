"""A run that delivers, as a process of its own: `python -m tests.faults.courier VAR URL SOURCE SEED STEP [BUG]`.

Keeps the batches of a portal in the spool, from a step on, and sends them in passing. Prints each step that is kept.
"""

import sys
from pathlib import Path

import msgspec

from ingest_api.contract import Batch
from scrapers.deliver import spool as spools
from scrapers.deliver.http import Courier, Door
from scrapers.deliver.outbox import Outbox
from scrapers.deliver.spool import Spool
from tests.faults.scripted import Portal


def main(var: Path, url: str, source: str, seed: int, step: int) -> None:
    portal = Portal(source, seed, now=None)  # so that every process makes the same of it
    with Door(url) as door:
        outbox = Outbox(Courier(Spool(var, source), door))
        for _ in range(step - 1):
            portal.next()
        while True:
            outbox.batch(msgspec.convert(portal.next().batch, Batch))
            sys.stdout.write(f"{step}\n")
            sys.stdout.flush()
            step += 1


if __name__ == "__main__":
    if sys.argv[6:] == ["folders are not synced"]:
        spools._sync = lambda folder: None
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
