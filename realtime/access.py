"""Who is asking: a token, checked, and not revoked."""

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any

import gevent
import structlog

from ingest_api.auth import EVERYTHING, Grant, read
from ingest_api.contract.errors import Unauthenticated, Unavailable
from realtime.store import revoked
from realtime.store.moments import now
from realtime.store.store import Store

COOKIE = "portalwire"
LOOK_EVERY = 1.0  # seconds between looks for tokens that another process revoked

log = structlog.get_logger()


class Revoked(Unauthenticated):
    """Your access was withdrawn."""

    code = "revoked"


class Access:
    """Reads tokens. Without a secret there is one local user, who may do everything."""

    def __init__(self, secret: str | None, store: Store) -> None:
        self._secret = secret
        self._store = store
        self._revoked: frozenset[str] = frozenset()
        self.withdrawn: Callable[[], None] = lambda: None  # called when more tokens are revoked
        self._look()

    @property
    def open(self) -> bool:
        """Whether no tokens are asked for."""
        return self._secret is None

    def grant(self, token: str | None) -> Grant:
        """What a token allows now. Raises Unauthenticated, Expired or Revoked."""
        if self._secret is None:
            return EVERYTHING
        if not token:
            raise Unauthenticated
        grant = read(self._secret, token, time.time())
        if self.is_revoked(grant):
            raise Revoked
        return grant

    def is_revoked(self, grant: Grant) -> bool:
        return grant.jti in self._revoked

    def revoke(self, jti: str) -> None:
        """From now on here, and within two seconds everywhere, nobody gets in by the token with this id."""
        self._store.write(partial(revoked.add, jti=jti, at=now()))
        log.info("token revoked", jti=jti)
        self._look()

    def run(self) -> None:
        """Looks for tokens that were revoked elsewhere, for ever."""
        while True:
            gevent.sleep(LOOK_EVERY)
            with suppress(Unavailable):
                self._look()

    def _look(self) -> None:
        if self.open:
            return
        found = frozenset(self._store.read(partial(revoked.ids, at=now())))
        more = found - self._revoked
        self._revoked = found
        if more:
            self.withdrawn()


def token_of(environ: dict[str, Any]) -> str | None:
    """The token of a request: `Authorization: Bearer …`, else the cookie."""
    scheme, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    try:
        cookie = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return None
    return str(cookie.value) if cookie else None
