"""From scraped to seen: the scraper's clock to the document of a real browser. `python -m benchmarks.seen`

An entry is timed when a scraper has read it. It goes into the spool on disk, by POST to a server that commits it, to so
many readers, and to Chromium, where a MutationObserver notes when the row on the live page says it. The server has a
core of its own; the scraper, the readers and the browser share another, on which the readers step back: they would have
machines of their own, and are here for the server to write to.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Annotated, Any

import requests
import typer
from selenium.webdriver import Chrome

from benchmarks.bench import LOAD, SERVER, free_port, machine, pinned, program, running, table
from ingest_api.contract import Batch, Entry
from scrapers.deliver.http import Courier, Door
from scrapers.deliver.outbox import Outbox
from scrapers.deliver.spool import Spool
from tests.end_to_end.conftest import open_browser

SOURCE = "seen"
KEYS = 60  # entries, each changed again and again

WATCH = """
window.seen = {};
const rows = document.getElementById("rows");
new MutationObserver((records) => {
  const at = performance.timeOrigin + performance.now();
  for (const { addedNodes } of records)
    for (const { textContent } of addedNodes)
      for (const [, number] of textContent.matchAll(/Beam (\\d+)/g)) window.seen[number] ??= at;
}).observe(rows, { childList: true, subtree: true });
"""


def main(
    readers: Annotated[str, typer.Option(help="How many readers beside the browser; several with commas.")] = "0,1000",
    entries: Annotated[int, typer.Option(help="Entries that are timed.")] = 300,
    rate: Annotated[float, typer.Option(help="Entries a second.")] = 20,
) -> None:
    """Measure how long it takes until a scraped entry is seen."""
    rows: list[list[Any]] = []
    for count in map(int, readers.split(",")):
        for name, (before, after) in _crowds(count).items():
            with tempfile.TemporaryDirectory(prefix="portalwire-bench-") as folder:
                delays = _measure(Path(folder), before, after, entries, rate)
            cut = quantiles(delays, n=100)
            rows.append([name, len(delays), cut[49], cut[94], cut[98], max(delays)])
    print(f"{machine()}\n")
    print(table(["scraped to seen, ms", "entries", "p50", "p95", "p99", "worst"], rows))


def _crowds(count: int) -> dict[str, tuple[int, int]]:
    """How many readers come before the browser, and are written to before it, and how many after."""
    if not count:
        return {"no readers": (0, 0)}
    half = count // 2
    return {
        f"{count:,} readers, half of them before": (half, count - half),
        f"{count:,} readers, all of them before": (count, 0),
    }


def _measure(folder: Path, before: int, after: int, entries: int, rate: float) -> list[float]:
    """Milliseconds of each entry."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "realtime.serve",
        "--port",
        str(port),
        "--database",
        f"sqlite:///{folder / 'b.db'}",
    ]
    with ExitStack() as stack:
        stack.enter_context(running(command, port, SERVER, {"PORTALWIRE_LOG_LEVEL": "error"}))
        url = f"http://127.0.0.1:{port}"
        until_ready(url)
        outbox = Outbox(Courier(Spool(folder, SOURCE), stack.enter_context(Door(url))))
        _scraped(outbox, 0, KEYS)
        stack.enter_context(_readers(port, before))
        browser = stack.enter_context(_browser(folder, url))
        stack.enter_context(_readers(port, after))
        times: dict[int, float] = {}
        began = time.monotonic()
        for number in range(KEYS, KEYS + entries):
            time.sleep(max(0.0, began + (number - KEYS) / rate - time.monotonic()))
            times[number] = time.time() * 1000
            _scraped(outbox, number, number + 1)
        time.sleep(1)
        seen: dict[str, float] = browser.execute_script("return window.seen")
    missing = [number for number in times if str(number) not in seen]
    if missing:
        sys.exit(f"{len(missing)} entries were not seen: {missing[:5]} …")
    return [seen[str(number)] - at for number, at in times.items()]


def _scraped(outbox: Outbox, first: int, last: int) -> None:
    """A batch of entries as a scraper delivers it."""
    now = datetime.now(UTC)
    entries = [
        Entry(
            key=f"SKU-{n % KEYS}",
            topic="steel",
            data={"name": f"Beam {n}", "price": f"{n}.40", "t": time.monotonic_ns()},
            observed_at=now,
        )
        for n in range(first, last)
    ]
    outbox.batch(Batch(source=SOURCE, run_id="run", batch_id=f"run-{first}", entries=entries))
    if outbox.courier.failure:
        sys.exit(f"not delivered: {outbox.courier.failure}")


@contextmanager
def _readers(port: int, count: int) -> Iterator[None]:
    if not count:
        yield
        return
    join = f'420["join",{{"room":"{SOURCE}"}}]'
    command = [program("load"), str(port), str(count), join, "1000000000", "--check", "range", "--patience", "600"]
    command = ["nice", "-n", "19", *pinned(LOAD, command)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as load:
        try:
            assert load.stderr is not None
            if load.stderr.readline() != f"joined {count}\n":
                sys.exit("not all readers joined")
            yield
        finally:
            load.kill()


@contextmanager
def _browser(folder: Path, url: str) -> Iterator[Chrome]:
    browser = open_browser(folder / "chromium")
    try:
        browser.get(f"{url}/#/live/{SOURCE}")
        end = time.monotonic() + 30
        while browser.execute_script("return document.body.dataset.line") != "live":
            if time.monotonic() > end:
                sys.exit("the page is not live")
            time.sleep(0.1)
        browser.execute_script(WATCH)
        yield browser
    finally:
        browser.quit()


def until_ready(url: str) -> None:
    """Waits for a server."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if requests.get(f"{url}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    sys.exit(f"{url} is not ready")


if __name__ == "__main__":
    typer.run(main)
