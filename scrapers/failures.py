"""Where a page goes that a scraper could not read, so that a person can look at what it saw."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from scrapers.errors import ScraperError
from scrapers.markup import is_xml
from scrapers.page import Page
from scrapers.visit import Visit

KEPT = 40  # files of one source


@dataclass(frozen=True)
class Shown:
    """What a browser shows now: the address, the document in UTF-8 and a picture of the window (PNG)."""

    url: str
    body: bytes
    picture: bytes


@runtime_checkable
class Shows(Protocol):
    """A visit that shows more than the pages that it gave out: a browser's."""

    def shown(self) -> Shown | None:
        """None where there is nothing to see, or nothing answers."""
        ...


def keep(error: BaseException, visit: Visit, folder: Path, name: str) -> str | None:
    """Saves in `folder` the page that `error` is about, and what the visit shows; returns the path of the page, or
    else of the picture, None when there is neither."""
    shown = visit.shown() if isinstance(visit, Shows) else None
    body = _body(error, visit.last, shown)
    files = {".png": shown.picture} if shown else {}
    if body is not None:
        files[".xml" if is_xml(body, None) else ".html"] = body
    saved = None
    for suffix, content in files.items():
        folder.mkdir(parents=True, exist_ok=True)
        saved = folder / f"{name}{suffix}"
        saved.write_bytes(content)
    _prune(folder)
    return str(saved) if saved else None


def _body(error: BaseException, last: Page | None, shown: Shown | None) -> bytes | None:
    """The page that `error` is about: the newest one, if it does not say; None for one that did not come."""
    page = None
    if isinstance(error, ScraperError):
        if error.body is not None:
            return error.body
        page = error.page
    newest = shown or last
    if newest is None or (page and last and newest.url == last.url != page):  # that is the page before it
        return None
    return newest.body


def _prune(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime) if folder.is_dir() else []
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
