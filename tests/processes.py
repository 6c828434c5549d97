"""Counting processes: what must leave none behind, and the children of a server that is several."""

from contextlib import suppress
from pathlib import Path

from tests.conftest import Server


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


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def serving(server: Server) -> set[int]:
    """The children that are ready."""
    log = server.log.read_text()
    return {pid for pid in children(server.pid) if f'"pid": {pid},' in log}


def gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
