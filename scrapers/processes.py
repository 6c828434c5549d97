"""The processes of this machine, as /proc tells of them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_GROUP, _SESSION, _RESIDENT = 2, 3, 21  # fields of /proc/PID/stat, counted after the command's closing parenthesis


@dataclass(frozen=True)
class Process:
    """`memory` is what it holds, in bytes, with what it shares with others."""

    group: int
    session: int
    memory: int


def processes() -> Iterator[Process]:
    """Every process; none where there is no /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
            yield Process(int(fields[_GROUP]), int(fields[_SESSION]), int(fields[_RESIDENT]) * _PAGE)
