"""How long a source rests after a fault that asking again does not mend.

A wrong password sent at every slot locks the account, and a bot challenge met every ten seconds ends in a ban. Where
our being there is the trouble, two tries are all a portal sees of us in an hour; where the portal's pages are not what
the scraper expects, it is looked at ever less often, and a mended one is found in about the time it was broken.
"""

import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import scrypt
from pathlib import Path
from typing import Literal

import msgspec

from scrapers.config import Source
from scrapers.errors import (
    BotChallenge,
    BrowserMissing,
    CredentialsMissing,
    Forbidden,
    LoginWall,
    QualityFailed,
    Refused,
)
from scrapers.orders import Done

Kind = Literal["unwelcome", "broken"]

TRIES = 2  # of an unwelcome source before it rests
REST, LONGEST_REST = 3600.0, 86400.0  # seconds; doubled with each try
SLOWER, SLOWEST = 4.0, 1800.0  # times its interval, doubled with each try; seconds

_UNWELCOME = {error.code for error in (CredentialsMissing, BotChallenge, Refused, Forbidden)}
_NOT_ASKED = {BrowserMissing.code}  # the portal has seen nothing of us
_LET_IN = {"complete", "partial"}


class Rest(msgspec.Struct, kw_only=True, frozen=True):
    """A source is left alone until then. `tries` counts those in a row that failed, `changes` is a digest of all that
    somebody would change to mend it."""

    code: str
    reason: str
    tries: dict[Kind, int]
    until: datetime
    pause: float
    scraper: str | None
    changes: str

    def left(self, now: datetime) -> float:
        """Seconds; none when it has not begun yet: the clock was set back since then."""
        left = (self.until - now).total_seconds()
        return max(0.0, left) if left <= self.pause + 1 else 0.0

    def __str__(self) -> str:
        return f"{sum(self.tries.values())} tries failed, {self.code}: {self.reason}"


class Backoff:
    """Which sources rest, on disk: a restart does not forget it, and a run by hand that is let in ends it."""

    def __init__(self, var: Path, environ: Mapping[str, str] = os.environ) -> None:
        """`environ` holds the credentials that a source's login names."""
        self._folder = var / "backoff"
        self._environ = environ

    def of(self, source: str) -> Rest | None:
        """Its rest, also one that is over: the next failure makes it longer."""
        try:
            return msgspec.json.decode((self._folder / source).read_bytes(), type=Rest)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def rests(self, source: str, now: datetime) -> bool:
        rest = self.of(source)
        return rest is not None and rest.left(now) > 0

    def ended(self, source: Source, done: Done, now: datetime) -> Rest | None:
        """Takes note of how a run ended; the rest that begins `now`, if any."""
        if self.let_in(source.name, done.state):
            return None
        before = self.of(source.name)
        kind = _kind(source, done)
        if not done.fault or not (kind or before):
            return None
        rest = self._longer(source, done, kind, before, now)
        self._keep(source.name, rest)
        return rest if rest.left(now) else None

    def let_in(self, source: str, state: str | None) -> bool:
        """Whether a run in this state has seen what it came for; a rest is then over."""
        if state in _LET_IN:
            self.forget(source)
        return state in _LET_IN

    def mended(self, source: Source) -> bool:
        """Whether it has a rest from a time when its settings, its credentials or its scraper were others."""
        rest = self.of(source.name)
        return rest is not None and not _same(rest.changes, self._mendable(source, rest.scraper))

    def forget(self, source: str) -> None:
        """Nothing is wrong with it."""
        (self._folder / source).unlink(missing_ok=True)

    def _longer(self, source: Source, done: Done, kind: Kind | None, before: Rest | None, now: datetime) -> Rest:
        """A passing fault on the way says nothing new: the same rest begins again."""
        assert done.fault is not None
        if before and not kind:
            return msgspec.structs.replace(before, until=now + timedelta(seconds=before.pause))
        assert kind is not None
        tries, scraper = (before.tries, done.scraper or before.scraper) if before else ({}, done.scraper)
        tries = {**tries, kind: tries.get(kind, 0) + 1}
        pause = _pause(kind, tries[kind], source.info().every)
        return Rest(
            code=done.fault.code,
            reason=done.fault.message,
            tries=tries,
            until=now + timedelta(seconds=pause),
            pause=pause,
            scraper=scraper,
            changes=_digest(self._mendable(source, scraper), secrets.token_hex(16)),
        )

    def _keep(self, source: str, rest: Rest) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        half = self._folder / f".{source}.half"
        half.write_bytes(msgspec.json.encode(rest))
        half.replace(self._folder / source)

    def _mendable(self, source: Source, scraper: str | None) -> bytes:
        """All that somebody would change to mend this source."""
        names = sorted(source.login.fields.values()) if source.login else []
        credentials = [self._environ.get(name) for name in names]
        code = Path(scraper).read_bytes() if scraper and Path(scraper).is_file() else b""
        return msgspec.json.encode([source, credentials], enc_hook=str) + code


def _kind(source: Source, done: Done) -> Kind | None:
    """None for what another try may well mend, or did not reach the portal."""
    fault = done.fault
    if not fault or fault.code in _NOT_ASKED:
        return None
    by_force = done.state is None  # nobody knows whether the login form was sent
    refused = source.login is not None and (by_force or fault.code == LoginWall.code)
    if refused or fault.code in _UNWELCOME:
        return "unwelcome"
    return "broken" if fault.lasting or fault.code == QualityFailed.code else None


def _pause(kind: Kind, tries: int, every: float | None) -> float:
    """Seconds; 0 when the schedule itself is slow enough."""
    if kind == "unwelcome":
        return 0.0 if tries < TRIES else min(LONGEST_REST, REST * 2 ** min(tries - TRIES, 30))
    pause = min(SLOWEST, SLOWER * (every or 0) * 2 ** min(tries - 1, 30))
    return pause if pause > (every or 0) else 0.0


def _digest(content: bytes, salt: str) -> str:
    """Slow to compute, since passwords go into it."""
    return f"{salt} {scrypt(content, salt=salt.encode(), n=2**14, r=8, p=1, dklen=32).hex()}"


def _same(kept: str, content: bytes) -> bool:
    return secrets.compare_digest(kept, _digest(content, kept.partition(" ")[0]))
