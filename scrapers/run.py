"""`python -m scrapers.run vendor_x`: one run of one source, by hand."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from scrapers import execute, log, stdout, timing
from scrapers.backoff import Backoff
from scrapers.catalogue import Catalogue
from scrapers.config import Settings, Source
from scrapers.deliver.spool import Spool
from scrapers.errors import ConfigError, DeliveryFailed, PortalError, ScraperError, UnknownSource
from scrapers.fetch import Fetcher
from scrapers.fetch.recorded import RecordedVisit, RecordingVisit
from scrapers.harvest import new_run_id
from scrapers.portal import Portal
from scrapers.progress import Progress
from scrapers.summary import told
from scrapers.visit import Visit

PORTAL, USAGE, DELIVERY, INTERRUPTED = 1, 2, 3, 130

app = typer.Typer(add_completion=False, rich_markup_mode="markdown", pretty_exceptions_enable=False)
screen = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


@dataclass(frozen=True)
class Options:
    """How a run by hand differs from one by schedule."""

    dry_run: bool
    out: BinaryIO | None  # for the entries as JSON
    record: Path | None
    replay: Path | None
    headed: bool
    patience: float


@app.command(
    epilog="""
**Exit codes**

- 0: delivered
- 1: the portal failed, or could not be read whole
- 2: wrong usage or configuration
- 3: read, but the server has not taken everything: it waits in the spool and goes with the next run
- 130: interrupted

**Examples**

- `python -m scrapers.run --list` shows what there is
- `python -m scrapers.run vendor_x --dry-run --json` shows the entries and delivers nothing
- `python -m scrapers.run vendor_x --record pages` keeps the pages, to make a test of them
- `python -m scrapers.run vendor_x --replay pages --dry-run` reads the kept pages, without the network
"""
)
def run(
    source: Annotated[str | None, typer.Argument(help="A source, or a portal that has no schedule yet.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the sources and exit.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, but deliver nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print each entry as a line of JSON on stdout.")] = False,
    record: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep the pages in this folder.")] = None,
    replay: Annotated[Path | None, typer.Option(metavar="DIR", help="Read the pages kept in this folder.")] = None,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser's window.")] = False,
    patience: Annotated[float, typer.Option(min=0, help="Seconds to wait at the end for a server that is away.")] = 20,
    schedules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: $PORTALWIRE_SCHEDULES, or schedules.yaml.")
    ] = None,
) -> None:
    """Read a portal once, deliver its entries, and tell what is new, changed or removed.

    Entries that cannot be delivered are kept on disk and go with the next run. Only entries are written to stdout.
    """
    log.configure(on_terminal=logging.WARNING)
    _stop_as_by_ctrl_c()
    out = stdout.taken()
    try:
        if headed:
            _see_display()
        settings = Settings.read()
        catalogue = Catalogue.read(schedules or settings.schedules, optional=schedules is None)
        if list_:
            _list(catalogue, out)
            return
        if source is None:
            raise UnknownSource("which source? --list shows what there is")
        settings.make_var()
        configured = catalogue.source(source)
        portal = catalogue.portal(configured)
        code = _read(
            configured, portal, settings, Options(dry_run, out if json else None, record, replay, headed, patience)
        )
    except (ConfigError, PortalError, UnknownSource) as error:
        _fail(error, USAGE)
    except DeliveryFailed as error:
        _fail(error, DELIVERY)
    except ScraperError as error:
        _fail(error, PORTAL)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    raise typer.Exit(code)


def _read(source: Source, portal: Portal, settings: Settings, options: Options) -> int:
    try:
        return _ran(source, portal, settings, options)
    except KeyboardInterrupt:
        _fail(f"interrupted; {_left(source, settings, options)}", INTERRUPTED)


def _left(source: Source, settings: Settings, options: Options) -> str:
    """Where that is which an interrupted run has read."""
    if options.dry_run:
        return "nothing was to be delivered"
    pending = len(Spool(settings.var, source.name).pending())
    return f"{pending} requests wait in the spool for the next run" if pending else "nothing waits in the spool"


def _ran(source: Source, portal: Portal, settings: Settings, options: Options) -> int:
    run_id = new_run_id()
    with _visit(source, portal, settings.var, options) as visit, Progress(screen, visit, options.out) as progress:
        if options.dry_run:
            report = execute.rehearse(source, portal, visit, settings.var, run_id, show=progress.show)
            code = 0 if report.state == "complete" else PORTAL
            said = told(report)
            state = report.state
        else:
            summary = execute.deliver(
                source,
                portal,
                visit,
                settings,
                run_id,
                show=progress.show,
                patience=options.patience,
                next_run=_next_run(source, settings.var),
            )
            code, said, state = summary.exit_code, summary.lines(), summary.report.state
    if not options.replay:
        Backoff(settings.var).let_in(source.name, state)
    for line in said:
        screen.print(line)
    return code


@contextmanager
def _visit(source: Source, portal: Portal, var: Path, options: Options) -> Iterator[Visit]:
    with Fetcher(source, portal.start, var, headed=options.headed) as fetcher:
        visit: Visit = RecordedVisit(options.replay) if options.replay else fetcher.visit()
        with closing(RecordingVisit(visit, options.record) if options.record else visit) as visit:
            yield visit


def _next_run(source: Source, var: Path) -> datetime | None:
    """What a scheduler has announced, so that a run by hand does not unsay it."""
    now = datetime.now(UTC)
    last = timing.Starts(var).last(source.name)
    slots = timing.trigger(source, last, now)
    start = slots.get_next_fire_time(None, now) if slots and last else None
    return timing.rested(start, slots, Backoff(var).of(source.name))


def _stop_as_by_ctrl_c() -> None:
    """Being told to end, or the terminal's end, ends a run as Ctrl-C does: in order, and it is told."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)


def _see_display() -> None:
    """Raises ConfigError where no window can be shown."""
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise ConfigError(["--headed needs a display, and DISPLAY names none: leave it out, or use xvfb-run"])


def _list(catalogue: Catalogue, out: BinaryIO) -> None:
    table = Table("source", "schedule", "fetch", "portal", box=None, pad_edge=False)
    for name in catalogue.names():
        source = catalogue.source(name)
        portal = "–" if source.pushed else "fields" if source.fields else source.portal or name
        table.add_row(name, source.schedule, source.way, portal)
    with TextIOWrapper(out, "utf-8") as text:
        Console(highlight=False, file=text).print(table)
    for fault in catalogue.faults.values():
        screen.print(fault)


def _fail(reason: object, code: int) -> NoReturn:
    screen.print(str(reason))
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m scrapers.run")
