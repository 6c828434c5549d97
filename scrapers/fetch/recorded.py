"""Visits from a folder, and into one.

The folder holds `index.json`, a list in the order of the visit of
`{"url", "file", "content_type", "status", "asked", "fetched_at"}`, and the files beside it. `asked` (the address that
was asked for, when a redirect led elsewhere) and `fetched_at` may be absent. The first page is the start.
"""

import json
import mimetypes
from collections import defaultdict, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scrapers import lookalike
from scrapers.address import join, without_fragment
from scrapers.errors import FetchFailed, PortalError
from scrapers.failures import Shown, Shows
from scrapers.page import Page
from scrapers.visit import Visit

INDEX = "index.json"


class RecordedVisit:
    """Serves a recording as if from its addresses; FetchFailed for a page that is not in it.

    An address that was visited several times gives its pages in that order, and its last one from then on.
    """

    def __init__(self, folder: Path) -> None:
        self.pages = 0
        self.missed = 0
        self.last: Page | None = None
        self._folder = folder
        self._recorded: dict[str, deque[dict[str, Any]]] = defaultdict(deque)  # address -> pages still to come
        index = _index(folder)
        for record in index:
            self._recorded[without_fragment(record.get("asked") or record["url"])].append(record)
        self._start = str(index[0].get("asked") or index[0]["url"])

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        self.missed += 1
        page = self._served(without_fragment(join(self.last.url if self.last else self._start, url or self._start)))
        self.missed -= 1
        self.pages += 1
        return page

    def close(self) -> None:
        """Nothing is open."""

    def _served(self, address: str) -> Page:
        records = self._recorded.get(address)
        if not records:
            raise FetchFailed(f"this page is not in the recording {self._folder}", page=address)
        record = records.popleft() if len(records) > 1 else records[0]
        self.last = page = self._page(record)
        if record.get("status", 200) not in (200, 203):
            raise FetchFailed(f"the portal answered {record['status']}", page=page.url)
        lookalike.check(page, address)
        return page

    def _page(self, record: dict[str, Any]) -> Page:
        fetched_at = record.get("fetched_at")
        return Page(
            (self._folder / record["file"]).read_bytes(),
            record["url"],
            datetime.fromisoformat(fetched_at) if fetched_at else datetime.now(UTC),
            self,
            record.get("content_type"),
        )


class RecordingVisit:
    """Passes on what another visit fetches, and keeps it in a folder that RecordedVisit can serve."""

    def __init__(self, visit: Visit, folder: Path) -> None:
        self._visit = visit
        self._folder = folder
        self._index: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def pages(self) -> int:
        return self._visit.pages

    @property
    def missed(self) -> int:
        return self._visit.missed

    @property
    def last(self) -> Page | None:
        return self._visit.last

    def __call__(self, url: str | None = None, *, wait: str | None = None) -> Page:
        asked = join(self.last.url, url) if self.last and url else url
        page = self._visit(url, wait=wait)
        self._keep(page, asked)
        return Page(page.body, page.url, page.fetched_at, self, page.content_type)

    def shown(self) -> Shown | None:
        """What the other visit shows."""
        return self._visit.shown() if isinstance(self._visit, Shows) else None

    def close(self) -> None:
        self._visit.close()

    def _keep(self, page: Page, asked: str | None) -> None:
        kind = (page.content_type or "text/html").partition(";")[0].strip()
        name = f"{len(self._index) + 1:04d}{mimetypes.guess_extension(kind) or '.html'}"
        (self._folder / name).write_bytes(page.body)
        record = {
            "url": page.url,
            "file": name,
            "content_type": page.content_type,
            "status": 200,
            "fetched_at": page.fetched_at.isoformat(),
        }
        if asked and without_fragment(asked) != without_fragment(page.url):
            record["asked"] = asked
        self._index.append(record)
        fresh = self._folder / f"{INDEX}.new"
        fresh.write_text(json.dumps(self._index, indent=1, ensure_ascii=False), "utf-8")
        fresh.replace(self._folder / INDEX)


def _index(folder: Path) -> list[dict[str, Any]]:
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise PortalError(f"{folder} is not a recording: its {INDEX} cannot be read: {error}") from error
    if not isinstance(index, list) or not all(
        isinstance(each, dict) and {"url", "file"} <= each.keys() for each in index
    ):
        raise PortalError(f"{folder / INDEX} must be a list of objects with url and file")
    if not index:
        raise PortalError(f"the recording {folder} holds no page")
    return index
