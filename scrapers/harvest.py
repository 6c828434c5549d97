"""One run: every entry a portal yields, cleaned, judged and handed on in batches, and a report of how it went.

Only a run that saw everything says `complete`, and with it what has vanished: one that failed, lost a page, met an
entry without a key or did not look as expected never does.
"""

import secrets
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import structlog

from ingest_api.contract import Batch, Entry, RunFault, RunReport
from ingest_api.contract.entry import MAX_KEY
from scrapers import failures
from scrapers.clean import Cleaner, line
from scrapers.config import Source
from scrapers.errors import (
    BadEntry,
    DeliveryFailed,
    FetchFailed,
    FieldMissing,
    Hung,
    Interrupted,
    KeyMissing,
    PagesMissed,
    fault,
)
from scrapers.page import Page
from scrapers.portal import Portal
from scrapers.quality import check_fields, check_least, check_most, repeated
from scrapers.visit import Visit

BATCH = 500  # entries
_DEAD_TEXT = 8000  # characters kept of an entry that does not fit

log = structlog.get_logger()


class Sink(Protocol):
    """Where a run's words go."""

    def report(self, report: RunReport) -> None: ...

    def batch(self, batch: Batch, unfit: Sequence[dict[str, Any]] = ()) -> None: ...


def new_run_id() -> str:
    """Sortable by time, and nobody else's."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


@dataclass
class Harvest:
    """A run of `source`. `show` is called with each entry as it will be delivered."""

    source: Source
    portal: Portal
    visit: Visit
    sink: Sink
    var: Path
    run_id: str = field(default_factory=new_run_id)
    show: Callable[[Entry], None] = lambda entry: None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    keys: list[str] = field(default_factory=list)
    unfit: int = 0
    batches: int = 0
    _began: float = field(default_factory=time.monotonic)
    _waiting: list[Entry] = field(default_factory=list)
    _unfit_waiting: list[dict[str, Any]] = field(default_factory=list)
    _keyless: int = 0
    _page: Page | None = None
    _of_page: Cleaner = field(init=False)

    def run(self) -> RunReport:
        """The report as it was sent at the end. Raises DeliveryFailed when nothing more can be handed on."""
        self.sink.report(self._report("running"))
        try:
            self._read()
            self._judge()
            doubt = self._doubt()
            self._hand_on(complete=doubt is None)
        except DeliveryFailed:
            raise
        except KeyboardInterrupt:
            self._hand_on_rest()
            self.sink.report(self._report("failed", fault(Interrupted())))
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 a portal's function may raise anything
            return self._ended_by(error)
        return self._finish("partial", doubt) if doubt else self._finish("complete")

    def _read(self) -> None:
        with closing(self._yielded()) as entries:
            for entry in entries:
                if not isinstance(entry, Entry):
                    raise BadEntry(f"the scraper yielded {type(entry).__name__}, an Entry is expected")
                if len(self._waiting) + len(self._unfit_waiting) == BATCH:
                    check_fields(self.source.expect, self._waiting)
                    self._hand_on(complete=False)
                self._take(entry)
                check_most(self.source.expect, len(self.keys))
                if time.monotonic() - self._began > self.source.limit:
                    raise Hung

    def _yielded(self) -> Generator[Entry, None, None]:
        """What the portal yields; also of a function that returns a list."""
        entries = self.portal.scrape(self.visit)
        if not isinstance(entries, Iterable):
            raise BadEntry(f"the scraper returned {entries!r:.100}: it must yield its entries (`yield Entry(…)`)")
        yield from entries

    def _take(self, entry: Entry) -> None:
        try:
            entry = self._cleaner().cleaned(entry)
        except BadEntry as error:
            self._set_aside(entry, error)
            return
        self.keys.append(entry.key)
        self._waiting.append(entry)
        self.show(entry)

    def _cleaner(self) -> Cleaner:
        """For what the page that was fetched last has."""
        page = self.visit.last
        if page is None:
            return Cleaner(self.portal.start)
        if self._page is not page:
            self._page, self._of_page = page, Cleaner(page.url, page.fetched_at)
        return self._of_page

    def _set_aside(self, entry: Entry, error: BadEntry) -> None:
        """An entry that does not fit harms no other. `data` that is text makes sure that it is kept, and not stored."""
        self.unfit += 1
        key = line(entry.key) if isinstance(entry.key, str) else ""
        if 0 < len(key) <= MAX_KEY:
            self.keys.append(key)
        else:
            self._keyless += 1
        self._unfit_waiting.append({"key": key[:MAX_KEY], "data": f"{error.message} {_shown(entry)}"[:_DEAD_TEXT]})
        log.warning("entry set aside", reason=error.message)

    def _judge(self) -> None:
        check_fields(self.source.expect, self._waiting)
        check_least(self.source.expect, len(self.keys))
        twice = repeated(self.keys)
        if twice:
            log.warning("keys came more than once, the later entry counts", count=len(twice), first=twice[0])

    def _doubt(self) -> FetchFailed | KeyMissing | None:
        """Why a run that ended well may still not have seen everything."""
        if self.visit.missed:
            return PagesMissed(f"{self.visit.missed} pages did not come")
        return KeyMissing(f"{self._keyless} entries have no usable key") if self._keyless else None

    def _hand_on(self, *, complete: bool) -> None:
        """The entries waiting, as a batch. A complete one names every key of the run."""
        if not (complete or self._waiting or self._unfit_waiting):
            return
        batch = Batch(
            source=self.source.name,
            run_id=self.run_id,
            batch_id=f"{self.run_id}-{self.batches}",
            entries=self._waiting,
            complete=complete,
            keys=list(dict.fromkeys(self.keys)) if complete else None,
            as_of=self.started,
            parser=self.portal.parser,
        )
        self.batches += 1  # first: what is handed on again, since it was interrupted here, is another batch
        self.sink.batch(batch, self._unfit_waiting)
        self._waiting, self._unfit_waiting = [], []

    def _hand_on_rest(self) -> None:
        """What was seen of a run that ended on its way, if it looks as expected."""
        with suppress(FieldMissing):
            check_fields(self.source.expect, self._waiting)
            self._hand_on(complete=False)

    def _ended_by(self, error: Exception | SystemExit) -> RunReport:
        """A fetch that failed on the way does not undo what was seen; anything else makes it doubtful. What another try
        will not mend is a failure, whatever was delivered before: nobody would learn of it otherwise."""
        why = fault(error)
        if isinstance(error, FetchFailed) and not why.lasting:
            self._hand_on_rest()
        log.error("run failed", reason=str(error), exc_info=why.code == "bug")
        return self._finish("partial" if self.batches and not why.lasting else "failed", error)

    def _finish(self, state: Literal["complete", "partial", "failed"], error: BaseException | None = None) -> RunReport:
        why = self._explained(error) if error else None
        report = self._report(state, why)
        self.sink.report(report)
        return report

    def _explained(self, error: BaseException) -> RunFault:
        why = fault(error)
        saved = why.saved or failures.keep(error, self.visit, self.var / "failures" / self.source.name, self.run_id)
        return RunFault(
            code=why.code, message=why.message, lasting=why.lasting, page=why.page, selector=why.selector, saved=saved
        )

    def _report(
        self, state: Literal["running", "complete", "partial", "failed"], why: RunFault | None = None
    ) -> RunReport:
        return RunReport(
            run_id=self.run_id,
            source=self.source.name,
            state=state,
            started_at=self.started,
            finished_at=None if state == "running" else datetime.now(UTC),
            pages=self.visit.pages,
            seen=len(self.keys) + self._keyless,
            parser=self.portal.parser,
            fetch=self.source.fetch,
            fault=why,
        )


def _shown(entry: Entry) -> str:
    """An entry as text, as far as it can be shown."""
    try:
        return repr(entry)
    except Exception as error:  # noqa: BLE001 nested too deep, or the portal's own object, which may raise anything
        return f"(cannot be shown: {type(error).__name__})"
