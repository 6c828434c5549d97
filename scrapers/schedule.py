"""`python -m scrapers.schedule`: runs every source by its schedule, until it is told to stop."""

import fcntl
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import structlog
import typer
from rich.console import Console
from rich.table import Table

from scrapers import log
from scrapers.catalogue import Catalogue
from scrapers.config import Schedules, Settings, load
from scrapers.config.schema import json_schema
from scrapers.errors import ConfigError, PortalError
from scrapers.metrics import Metrics
from scrapers.scheduler import Scheduler
from scrapers.timetable import upcoming
from scrapers.timing import WallClock
from scrapers.watching import follow

USAGE = 2
LOOK = 1.0  # seconds between two looks at the clock

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
logger = structlog.get_logger()
screen = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


@app.command(
    epilog="""
SIGTERM and Ctrl-C start no further run, let those under way finish within `--grace`, and leave no process. The file
is taken up again when it changes; a broken one is told with its line numbers and changes nothing.

**Exit codes**

- 0: ended as it should
- 1: with --once, a portal failed
- 2: wrong usage or configuration, or another scheduler runs here
- 3: with --once, not everything was delivered
"""
)
def schedule(
    once: Annotated[bool, typer.Option("--once", help="Run every source once, now, and exit.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the sources with their next runs and exit.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Check the file and its portals, and exit.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the file's JSON Schema and exit.")] = False,
    schedules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: $PORTALWIRE_SCHEDULES, or schedules.yaml.")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs by HTTP at a time.")] = 8,
    browsers: Annotated[int, typer.Option(min=1, help="Runs in a browser at a time.")] = 2,
    grace: Annotated[float, typer.Option(min=0, help="Seconds for runs to finish when it is told to stop.")] = 30,
) -> None:
    """Run every source of schedules.yaml by its schedule and deliver what it reads."""
    if schema:
        typer.echo(json.dumps(json_schema(), indent=2))
        return
    log.configure()
    try:
        settings = Settings.read()
        path = schedules or settings.schedules
        configured = load(path)
        if check:
            _check(path)
            return
        if list_:
            _list(configured, settings)
            return
    except (ConfigError, PortalError) as error:
        _fail(str(error))
    metrics = Metrics()
    try:
        settings.make_var()
        with _alone(settings.var), metrics.served(settings.scheduler_metrics):
            scheduler = Scheduler(path, settings, metrics, runs=runs, browsers=browsers)
            code = _once(scheduler, configured, grace) if once else _follow(scheduler, configured, path, grace)
    except ConfigError as error:
        _fail(str(error))
    raise typer.Exit(code)


def _once(scheduler: Scheduler, schedules: Schedules, grace: float) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    codes = [130]
    try:
        codes = scheduler.once(schedules)
    except KeyboardInterrupt:
        logger.info("stopping")
    finally:
        scheduler.end(grace)
    return next((code for code in (130, 1, 3) if code in codes), 0)


def _follow(scheduler: Scheduler, schedules: Schedules, path: Path, grace: float) -> int:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    watcher = threading.Thread(target=follow, args=(scheduler, path, stop))
    scheduler.start(schedules)
    watcher.start()
    clock = WallClock()
    while not stop.wait(LOOK):
        if clock.was_set():
            scheduler.replan()
    logger.info("stopping", grace=grace)
    watcher.join()
    scheduler.end(grace)
    logger.info("stopped")
    return 0


def _check(path: Path) -> None:
    catalogue = Catalogue.read(path)
    catalogue.check()
    count = len(catalogue.schedules.sources)
    screen.print(f"{path}: {count} source{'' if count == 1 else 's'}, nothing wrong")


def _list(schedules: Schedules, settings: Settings) -> None:
    table = Table("source", "schedule", "fetch", "next run", "rests because", box=None, pad_edge=False)
    for source, start, rest in upcoming(schedules, settings):
        when = f"{start:%Y-%m-%d %H:%M:%S} UTC" if start else "–"
        table.add_row(source.name, source.schedule, source.way, when, str(rest or ""))
    Console(highlight=False).print(table)


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Two schedulers would run every source twice."""
    var.mkdir(parents=True, exist_ok=True)
    with (var / "scheduler.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _fail(f"another scheduler runs with {var}: end it, or set PORTALWIRE_VAR")
        yield


def _fail(reason: str) -> NoReturn:
    screen.print(reason)
    raise typer.Exit(USAGE)


if __name__ == "__main__":
    app(prog_name="python -m scrapers.schedule")
