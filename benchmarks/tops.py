"""What it costs a batch that numbers are kept in order, and how long a top list takes.

`python -m benchmarks.tops [URL]`
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from benchmarks.commit import submissions
from realtime.store import ranking
from realtime.store.commit import commit_batch
from realtime.store.engine import migrate, open_engine
from realtime.store.ranking import Asked

FIELDS = ("price", "stock", "name_length")  # the last one is in no entry
BATCH = 500


def measure(connection: sa.Connection, ranked: int) -> tuple[str, list[float]]:
    """Milliseconds of the median batch that is new, a tenth changed, unchanged, with so many fields kept in order."""
    source = f"bench_{ranked}_{time.time_ns()}"
    for field in FIELDS[:ranked]:
        with connection.begin():
            since, _ = ranking.ask(connection, source, field, 0)
        with connection.begin():
            ranking.read_in(connection, source, field, "", since)
    medians = []
    for number, changed in enumerate((0, 1, 1)):
        took = []
        for submission in list(submissions(source, BATCH, number, changed)):
            began = time.perf_counter()
            with connection.begin():
                commit_batch(connection, submission, "epoch")
            took.append((time.perf_counter() - began) * 1000)
        medians.append(median(took))
    return source, medians


def listing(connection: sa.Connection, source: str, topic: str | None) -> float:
    """Milliseconds of a top list of 50."""
    asked = Asked(source=source, topic=topic, by="price", down=True, limit=50, matches=lambda *_: True)
    took = []
    for _ in range(50):
        began = time.perf_counter()
        with connection.begin():
            assert len(ranking.top(connection, asked).items) == 50
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def main(url: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(url or f"sqlite:///{Path(folder) / 'tops.db'}", writes=True)
        migrate(engine)
        with engine.connect() as connection:
            for ranked in (0, 1, 2):
                source, medians = measure(connection, ranked)
                new, tenth, same = (f"{each:.1f}" for each in medians)
                print(f"{ranked} fields in order: {BATCH} new {new} ms, 10% changed {tenth} ms, unchanged {same} ms")
            print(f"top 50 of 20,000: {listing(connection, source, None):.2f} ms, ", end="")
            print(f"of a topic's 1,000: {listing(connection, source, 'group 7'):.2f} ms")
        engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
