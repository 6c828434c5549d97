"""A machine's disk and clock in the hands of a test: the disk loses its power, fails or is full, the clock is off.

shim.c does it in the processes that are started with `Disk.environment`.
"""

import hashlib
import os
import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.servers import needed

SOURCE = Path(__file__).with_name("shim.c")
SECTOR = 512  # bytes that are written whole or not at all
_CONTROL = struct.Struct("=qqq")


class Disk:
    """What lies in `folder` is on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self._shadow = folder / "shadow"
        self._control = folder / "control"
        self.folder.mkdir()
        self._shadow.mkdir()
        self._seconds, self._failures, self._room = 0, 0, -1
        self._tell()
        self.environment = {
            "LD_PRELOAD": str(_shim()),
            "PORTALWIRE_FAULT_DISK": str(self.folder),
            "PORTALWIRE_FAULT_SHADOW": str(self._shadow),
            "PORTALWIRE_FAULT_CONTROL": str(self._control),
        }

    def lose_power(self, later: random.Random | None = None) -> None:
        """Leaves on it what was synced; with `later`, also some sectors of what was written to the same files since
        then, as a disk does that is given writes in any order. Whoever used it must be dead."""
        (own,) = self._shadow.glob(f"folder-{self.folder.stat().st_ino}-*")
        left = dict(self._left(self.folder, own.name.removeprefix("folder-"), later))
        for path in sorted(self.folder.rglob("*"), reverse=True):  # what is in a folder comes before it
            if path not in left:
                path.rmdir() if path.is_dir() else path.unlink()
        for path, content in left.items():
            if content is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(content)  # its inode stays: it is the same file
        for kept in self._shadow.iterdir():
            kept.unlink()
        self.sync()

    def sync(self) -> None:
        """All that is there now survives."""
        paths = [self.folder, *self.folder.rglob("*")]
        subprocess.run([needed("sync"), *paths], env={**os.environ, **self.environment}, check=True)

    def fail(self, syncs: int) -> None:
        """So many calls of fsync will fail; -1: all, until told otherwise."""
        self._failures = syncs
        self._tell()

    def fill(self, room: int) -> None:
        """It is full after so many further bytes; -1: it never is."""
        self._room = room
        self._tell()

    def shift(self, seconds: int) -> None:
        """The clock goes so much ahead of the true one."""
        self._seconds = seconds
        self._tell()

    def _tell(self) -> None:
        """In place: processes have mapped the file."""
        with self._control.open("r+b" if self._control.exists() else "wb") as file:
            file.write(_CONTROL.pack(self._seconds, self._failures, self._room))

    def _left(self, folder: Path, name: str, later: random.Random | None) -> Iterator[tuple[Path, bytes | None]]:
        """What is found in a folder after a power cut, with its content; None for a folder."""
        names = self._shadow / f"folder-{name}"
        for line in names.read_text().splitlines() if names.exists() else ():
            inode, kind, entry = line.split(" ", 2)
            path = folder / entry
            if kind == "folder":
                yield path, None
                yield from self._left(path, inode, later)
            else:
                kept = self._shadow / f"file-{inode}"
                synced = kept.read_bytes() if kept.exists() else b""
                yield path, _mixed(synced, path.read_bytes(), later) if later and self._is(path, inode) else synced

    def _is(self, path: Path, inode: str) -> bool:
        """Whether a file is still the one that was synced. A number that several files had may be another's by now."""
        number = inode.partition("-")[0]
        return path.exists() and path.stat().st_ino == int(number) and len([*self._shadow.glob(f"*-{number}-*")]) == 1


def _mixed(synced: bytes, written: bytes, later: random.Random) -> bytes:
    """Each sector from the one or the other; the length, too, and zeros where it grew without content."""
    mixed = bytearray(max(len(synced), len(written)))
    for at in range(0, len(mixed), SECTOR):
        sector = later.choice((synced, written))[at : at + SECTOR]
        mixed[at : at + len(sector)] = sector
    return bytes(mixed[: later.choice((len(synced), len(written)))])


def _shim() -> Path:
    """The compiled shim, in a place that a server of another user can read."""
    built = ROOT / "build" / f"shim-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:12]}.so"
    if not built.exists():
        built.parent.mkdir(exist_ok=True)
        half = built.with_suffix(f".{os.getpid()}")
        subprocess.run([needed("cc"), "-O2", "-shared", "-fPIC", "-o", half, SOURCE], check=True)
        half.rename(built)
    return built
