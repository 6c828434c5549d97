"""Where a page goes that a scraper could not read, so that a person can look at what it saw."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from scrapers.visit import Visit

KEPT = 40  # files of one source


@runtime_checkable
class Saves(Protocol):
    """A visit that can keep more than the page's bytes: a browser, its screen."""

    def save(self) -> str | None:
        """Returns the file of the document, None if there was nothing to keep."""
        ...


def keep(visit: Visit, folder: Path, name: str) -> str | None:
    """Saves the newest page of the visit in `folder`; returns its path, None when there was no page yet."""
    if isinstance(visit, Saves):
        saved = visit.save()
    elif visit.last:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{name}.{'xml' if visit.last.is_xml else 'html'}"
        file.write_bytes(visit.last.body)
        saved = str(file)
    else:
        return None
    _prune(folder)
    return saved


def _prune(folder: Path) -> None:
    files = sorted(folder.iterdir(), key=lambda file: file.stat().st_mtime) if folder.is_dir() else []
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
