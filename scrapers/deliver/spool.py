"""The spool: what a source has for the server, on disk and in order, until the server has confirmed it."""

import errno
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from scrapers.errors import SpoolFull

Kind = Literal["source", "run", "batch"]
DoorName = Literal["http", "redis"]
Wait = Callable[[float], object]

MOST = 1024**3  # bytes that may wait of one source
REJECTED = 200  # files that are kept of what the server never took

_LOCK_POLL = 0.05  # seconds
_ABANDONED = 3600  # seconds after which a half-written file belongs to nobody


@dataclass(frozen=True)
class Request:
    """One request as it will be sent to `door`; `run_id` travels as X-Request-ID, `encoding` is the body's
    Content-Encoding."""

    kind: Kind
    method: str
    path: str
    run_id: str
    body: bytes
    encoding: str | None = None
    door: DoorName = "http"

    def packed(self) -> bytes:
        """A line of JSON, then the body."""
        head = asdict(self)
        del head["body"]
        return json.dumps(head).encode() + b"\n" + self.body

    @classmethod
    def unpacked(cls, content: bytes) -> "Request":
        """Raises ValueError for what is not a packed request."""
        head, _, body = content.partition(b"\n")
        try:
            return cls(**json.loads(head), body=body)
        except TypeError as error:
            raise ValueError(str(error)) from error


class Spool:
    """The requests of one source, as files NUMBER.KIND. Any process may put, one at a time sends."""

    def __init__(self, var: Path, source: str) -> None:
        self.source = source
        self.folder = var / "spool" / source
        self.rejected = var / "rejected" / source
        self._lasting: set[Path] = set()  # folders that survive a power cut

    def put(self, request: Request) -> Path:
        """Keep the request; when this returns, it survives a power cut. Raises SpoolFull."""
        try:
            self._make(self.folder)
            if _size(self.pending()) + len(request.packed()) > MOST:
                raise SpoolFull(f"{MOST} bytes wait in {self.folder}, and no more are kept: bring the server back")
            kept = self._numbered(self._written(request), request.kind)
            _sync(self.folder)
        except OSError as error:
            reason = os.strerror(error.errno or errno.EIO)
            raise SpoolFull(f"the spool {self.folder} cannot be written: {reason}; nothing was delivered") from error
        if request.kind == "source":
            self._forget_outdated(kept)
        return kept

    def pending(self) -> list[Path]:
        """What waits, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if path.stem.isdigit())

    def done(self, kept: Path) -> None:
        """The server has it."""
        kept.unlink(missing_ok=True)

    def reject(self, kept: Path, answer: str) -> Path:
        """Set aside what the server will never take, beside its answer. Returns where it is now. Both survive a power
        cut."""
        self._make(self.rejected)
        aside = self.rejected / f"{time.time_ns()}-{kept.name}"
        _write(aside.with_name(f"{aside.name}.answer"), answer.encode())
        kept.rename(aside)
        _sync(self.rejected)
        for old in sorted(self.rejected.iterdir())[:-REJECTED]:
            old.unlink(missing_ok=True)
        return aside

    @contextmanager
    def sending(self, patience: float, wait: Wait) -> Iterator[bool]:
        """Whether we alone may send now, waiting for another sender up to `patience` seconds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as file:
            until = time.monotonic() + patience
            while not (ours := _locked(file.fileno())) and time.monotonic() < until:
                wait(_LOCK_POLL)
            if ours:
                self._sweep()
            yield ours

    def hold(self, seconds: float, url: str) -> None:
        """Send nothing to the server at `url` for so long: it asked for it."""
        (self.folder / ".hold").write_text(f"{time.time()} {seconds} {url}")

    def held(self, url: str) -> float:
        """Seconds until something may be sent to the server at `url` again."""
        try:
            began, seconds, asked_by = (self.folder / ".hold").read_text().split(" ", 2)
            gone = time.time() - float(began)
            left = float(seconds) - gone
        except (FileNotFoundError, ValueError):
            return 0.0
        believed = asked_by == url and gone >= 0  # a clock that was set back would make it longer
        return max(0.0, left) if believed else 0.0

    def _make(self, folder: Path) -> None:
        """A folder's name, too, is on disk only once the folder that holds it was synced: here once a process, since
        who made it may have been killed before."""
        folder.mkdir(parents=True, exist_ok=True)
        if folder not in self._lasting:
            for above in list(folder.parents)[:3]:  # of all sources, `var`, and where that is
                if os.access(above, os.R_OK):
                    _sync(above)
            self._lasting.add(folder)

    def _written(self, request: Request) -> Path:
        half = self.folder / f".{os.getpid()}-{time.time_ns()}.half"
        try:
            _write(half, request.packed())
        except OSError:
            half.unlink(missing_ok=True)
            raise
        return half

    def _numbered(self, half: Path, kind: Kind) -> Path:
        """Link rather than rename: a number that another process took in the meantime is not overwritten."""
        waiting = self.pending()
        number = int(waiting[-1].stem) + 1 if waiting else 1
        while True:
            kept = self.folder / f"{number:012}.{kind}"
            if not any(self.folder.glob(f"{number:012}.*")):
                with suppress(FileExistsError):
                    kept.hardlink_to(half)
                    half.unlink()
                    return kept
            number += 1

    def _forget_outdated(self, newest: Path) -> None:
        """Of what was said of the source while the server was away, only the first and the last word matter."""
        said = [path for path in self.pending() if path.suffix == newest.suffix and path < newest]
        for path in said[1:]:
            path.unlink(missing_ok=True)

    def _sweep(self) -> None:
        for half in self.folder.glob(".*.half"):
            with suppress(FileNotFoundError):
                if half.stat().st_mtime < time.time() - _ABANDONED:
                    half.unlink()


def waiting(var: Path) -> list[str]:
    """The sources that have something for the server."""
    folder = var / "spool"
    return sorted(path.name for path in folder.iterdir() if Spool(var, path.name).pending()) if folder.is_dir() else []


def _size(files: list[Path]) -> int:
    size = 0
    for file in files:
        with suppress(FileNotFoundError):  # sent in the meantime
            size += file.stat().st_size
    return size


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write(file: Path, content: bytes) -> None:
    with file.open("xb") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
