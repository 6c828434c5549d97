"""Counting processes, for what must leave none behind."""

from contextlib import suppress
from pathlib import Path


def alive(*, group: int | None = None, mentions: str | None = None) -> list[str]:
    """Command lines of living processes (zombies are not) of a process group, or with a text in the command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            state, _, its_group = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[:3]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            belongs = int(its_group) == group if group else mentions is not None and mentions in command
            if state != "Z" and belongs:
                found.append(command)
    return found
