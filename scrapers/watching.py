"""Follows schedules.yaml and the portals' folders as they change."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from watchfiles import Change, watch

_POLL = 200  # milliseconds


class Follower(Protocol):
    """What is told of changes."""

    @property
    def folders(self) -> list[Path]:
        """Where the portals are."""

    def reload(self) -> None:
        """The file has changed."""

    def renew(self) -> None:
        """The portals' code has changed."""


def follow(follower: Follower, path: Path, stop: threading.Event) -> None:
    """Tells `follower` of changes of the file at `path` and of the portals until `stop` is set."""

    def renew_all() -> None:
        follower.reload()
        follower.renew()

    catch_up = follower.reload
    while not stop.is_set():
        try:
            _watch(follower, path.resolve(), stop, catch_up)
        except FileNotFoundError:  # a folder went away just now
            stop.wait(1)
        catch_up = renew_all


def _folders(follower: Follower, path: Path) -> set[Path]:
    """Folders are watched, since editors replace a file rather than change it."""
    return {path.resolve().parent, *(folder.resolve() for folder in follower.folders if folder.is_dir())}


def _watch(follower: Follower, path: Path, stop: threading.Event, catch_up: Callable[[], object]) -> None:
    """Until there are other folders to watch: the file names them, and they may appear later. `catch_up` is called
    once, when nothing can be missed any more."""
    folders, caught_up = _folders(follower, path), False

    def matters(change: Change, changed: str) -> bool:
        return Path(changed) == path or Path(changed).suffix == ".py"

    for changes in watch(
        *folders,
        watch_filter=matters,
        stop_event=stop,
        recursive=False,
        debounce=_POLL,
        rust_timeout=_POLL,
        yield_on_timeout=True,
    ):
        if not caught_up:
            catch_up()
            caught_up = True
        changed = {Path(file) for _, file in changes}
        if path in changed:
            follower.reload()
        if any(file.suffix == ".py" for file in changed):
            follower.renew()
        if _folders(follower, path) != folders:
            return
