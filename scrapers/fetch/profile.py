"""Browser profiles on disk: what a portal remembers of us between runs."""

import fcntl
import json
import os
from itertools import count
from pathlib import Path
from typing import Any


class Profile:
    """A profile that no other browser uses now: `folder` for Chromium's own files, and the source's cookies.

    Chromium forgets session cookies when it ends and writes the others late, so they are kept in a file beside it.
    """

    def __init__(self, home: Path) -> None:
        """Takes the first free profile in `home` (a folder of one source), for a second browser at once another one."""
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._cookies = home / "cookies.json"
        for number in count():
            self.folder = home / f"profile-{number}"
            self._lock = os.open(home / f"profile-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                os.close(self._lock)
        self.folder.mkdir(exist_ok=True, mode=0o700)
        for stale in self.folder.glob(
            "Singleton*"
        ):  # Chromium's own lock: it outlives a kill and a change of host name
            stale.unlink(missing_ok=True)

    def cookies(self) -> list[dict[str, Any]]:
        """The cookies kept last, as Chromium's Storage domain takes them."""
        try:
            kept: list[dict[str, Any]] = json.loads(self._cookies.read_bytes())
        except (FileNotFoundError, ValueError):
            return []
        return kept

    def keep(self, cookies: list[dict[str, Any]]) -> None:
        """Keeps cookies for the next browser, readable by us alone."""
        new = self.folder / "cookies.new"
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump([_settable(cookie) for cookie in cookies], file)
        new.replace(self._cookies)

    def release(self) -> None:
        """Lets others have it."""
        os.close(self._lock)


def _settable(cookie: dict[str, Any]) -> dict[str, Any]:
    """A cookie as it was read, in the form in which it can be set: a session cookie has no expiry."""
    return {
        name: value
        for name, value in cookie.items()
        if name not in ("size", "session") and (name, value) != ("expires", -1)
    }
