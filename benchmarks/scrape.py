"""Pages to entries, beside Scrapy on the same pages with the same fields. `python -m benchmarks.scrape [--rounds 5]`

Pages of 100 KiB with 200 rows. First reading alone: a page's bytes to entries with typed values, by BeautifulSoup's
tree and by libxml2's own. Then a crawl of 200 pages, each of which links to the next: the crawler on one core, the
server on another where there is one. Portalwire obeys robots.txt, keeps its bounds of size and time, and looks for
logins and bot challenges; its entries are cleaned, checked and packed into requests of 500, as they are spooled. Scrapy
obeys robots.txt and writes its items to a feed of JSON lines. They take turns, round by round; medians are shown.
"""

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import structlog
import typer

from benchmarks.bench import LOAD, PEERS, ROOT, SERVER, free_port, machine, medians, pinned, running, table
from benchmarks.peers.listing import ROWS, page
from ingest_api.contract import Batch, Entry, RunReport
from scrapers import collector
from scrapers.config import Listing, Source
from scrapers.config.values import Seconds
from scrapers.deliver.outbox import parcel
from scrapers.fetch import Fetcher
from scrapers.fields import portal_of
from scrapers.fields import read as read_page
from scrapers.harvest import Harvest
from scrapers.page import Page
from scrapers.rows import Rows

PAGES = 200  # of a crawl
FIELDS = {
    "rows": "table.prices tr.item",
    "key": {"attribute": "data-sku"},
    "topic": ".group",
    "url": ".name a",
    "next": "a[rel=next]",
    "fields": {
        "name": ".name",
        "price": {"selector": ".price", "type": "money", "decimal": ","},
        "valid_from": {"selector": ".from", "type": "date", "order": "DMY"},
        "stock": {"selector": ".stock", "type": "number"},
    },
}

LISTING = msgspec.convert(FIELDS, Listing)
ROWS_OF = Rows(LISTING)
Runs = dict[str, list[dict[str, float]]]  # who -> numbers of each round


def main(
    rounds: Annotated[int, typer.Option(help="Rounds of which the median is shown.")] = 5,
    crawl: Annotated[str, typer.Option(help="Only crawl what begins at this address, here and now.")] = "",
) -> None:
    """Measure reading pages."""
    if crawl:
        print(json.dumps(crawled(crawl)))
        return
    reading: Runs = {"BeautifulSoup's tree": [], "libxml2's tree": []}
    crawls: Runs = {"Portalwire": [], "Scrapy": []}
    port = free_port()
    start = f"http://127.0.0.1:{port}/list/0"
    with running([sys.executable, "-m", "benchmarks.peers.listing", str(port), str(PAGES)], port, LOAD):
        for _ in range(rounds):
            reading["BeautifulSoup's tree"].append(read(quick=False, pages=5))
            reading["libxml2's tree"].append(read(quick=True, pages=50))
            crawls["Portalwire"].append(_crawl([sys.executable, "-m", "benchmarks.scrape", "--crawl", start]))
            with tempfile.NamedTemporaryFile(suffix=".jsonl") as feed:
                crawls["Scrapy"].append(_crawl([str(PEERS), "benchmarks/peers/spider.py", start, feed.name]))
    print(report(reading, crawls))


def read(*, quick: bool, pages: int) -> dict[str, float]:
    """Pages a second of processor time, from bytes to entries."""
    bodies = [page(number, PAGES) for number in range(pages)]
    began = time.process_time()
    entries = [entry for body in bodies for entry in _entries(body, quick)]
    took = time.process_time() - began
    if len(entries) != pages * ROWS:
        sys.exit(f"{len(entries)} entries read instead of {pages * ROWS}")
    return {"pages": pages / took}


def _entries(body: bytes, quick: bool) -> Iterator[Entry]:
    it = Page(body, "http://127.0.0.1/list/0", datetime.now(UTC), content_type="text/html; charset=utf-8")
    return read_page(it.quick(ROWS_OF.selectors) if quick else it, ROWS_OF, at_least=1)


class Packed:
    """Makes every batch ready to be sent, and keeps none."""

    def report(self, report: RunReport) -> None:
        """Nobody is told."""

    def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None:
        parcel(batch, unfit)


def crawled(start: str) -> dict[str, float]:
    """A run of Portalwire's, in this process."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    source = Source(name="prices", start=start, pace=Seconds(0), fields=LISTING)
    with tempfile.TemporaryDirectory() as folder, Fetcher(source, start, Path(folder)) as fetcher:
        portal = portal_of(source)
        collector.rest()  # as a worker of the scheduler's does
        began, used = time.perf_counter(), time.process_time()
        with closing(fetcher.visit()) as visit:
            report = Harvest(source, portal, visit, Packed(), Path(folder)).run()
        wall, processor = time.perf_counter() - began, time.process_time() - used
    if report.state != "complete":
        sys.exit(f"the run is {report.state}: {report.fault}")
    return {"entries": report.seen, "wall": wall, "processor": processor}


def _crawl(command: list[str]) -> dict[str, float]:
    """Entries a second of a crawl in a process of its own."""
    done = subprocess.run(pinned(SERVER, command), cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    if found["entries"] != PAGES * ROWS:
        sys.exit(f"{' '.join(command)} read {found['entries']} entries instead of {PAGES * ROWS}")
    return {"wall": found["entries"] / found["wall"], "processor": found["entries"] / found["processor"]}


def report(reading: Runs, crawls: Runs) -> str:
    """The tables, as Markdown."""
    pages = {name: medians(runs)["pages"] for name, runs in reading.items()}
    slowest = min(pages.values())
    speeds = {name: medians(runs) for name, runs in crawls.items()}
    crawl = [[name, speed["wall"], speed["processor"]] for name, speed in speeds.items()]
    ours, theirs = speeds.values()
    crawl.append(["ratio", *(f"{ours[kind] / theirs[kind]:.2f}×" for kind in ("wall", "processor"))])
    return "\n\n".join(
        [
            f"{machine()}; {versions()}",
            table(
                ["from bytes to entries", "pages a second", ""],
                [[n, p, f"{p / slowest:.1f}×"] for n, p in pages.items()],
            ),
            table([f"a crawl of {PAGES} pages", "entries a second", "entries a processor second"], crawl),
        ]
    )


def versions() -> str:
    """What was compared."""
    asked = "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in %r), sep=', ')"
    ours = subprocess.check_output([sys.executable, "-c", asked % (("beautifulsoup4", "lxml", "requests"),)], text=True)
    theirs = subprocess.check_output([PEERS, "-c", asked % (("scrapy", "parsel", "lxml"),)], text=True)
    return f"Portalwire with {ours.strip()}; {theirs.strip()}"


if __name__ == "__main__":
    typer.run(main)
