"""Connections that do not say who they are: of one address so many may be open, so many be opened a second, and none of
them for long."""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs

import gevent
import msgspec
from socketio import Server

from ingest_api.contract.errors import ContractError, SlowDown
from ingest_api.http import refusal
from realtime.buckets import Buckets, Rate
from realtime.fanout import Fanout

ENTER_WITHIN = 10.0  # seconds that an open connection may take to connect to us
OPENS = Rate(100, 500)  # connections that one address opens


class TooManyStrangers(SlowDown):
    """Too many connections of this address are open that did not say who they are: wait, then go on."""


class _Stranger(msgspec.Struct):
    address: str
    since: float
    refused: bool = False


class Strangers:
    """Who is not known yet, by Engine.IO sid. `most` of an address may be open at once; None is no bound."""

    def __init__(self, server: Server, fanout: Fanout, most: int | None) -> None:
        self._fanout = fanout
        self._most = most
        self._here: dict[str, _Stranger] = {}
        self._of: Counter[str] = Counter()  # address -> strangers
        self._opens = Buckets({}, OPENS)
        self._listen(server)

    def __len__(self) -> int:
        return len(self._here)

    def admit(self, address: str) -> None:
        """One more wants to open. Raises SlowDown or TooManyStrangers."""
        if self._most is None:
            return
        wait = self._opens.take(address, "", time.monotonic())
        if wait:
            raise SlowDown.of(wait)
        if self._of[address] >= self._most:
            raise TooManyStrangers(retry_after=1)

    def came(self, engine_sid: str, address: str) -> None:
        self._here[engine_sid] = _Stranger(address, time.monotonic())
        self._of[address] += 1

    def left(self, engine_sid: str | None) -> None:
        """It is gone, or said who it is."""
        stranger = self._here.pop(engine_sid or "", None)
        if stranger is not None:
            self._of[stranger.address] -= 1
            if not self._of[stranger.address]:
                del self._of[stranger.address]

    def refuse(self, engine_sid: str | None) -> None:
        """It was told why it may not come in, and goes as soon as it was sent that. One refusal is enough."""
        stranger = self._here.get(engine_sid or "")
        if stranger is None or engine_sid is None:
            return
        if stranger.refused:
            self._fanout.hang_up(engine_sid)
            return
        stranger.refused = True
        gevent.spawn(self._fanout.see_off, engine_sid)

    def sweep(self) -> None:
        """Ends the connections of those who take too long."""
        moment = time.monotonic()
        for engine_sid, stranger in list(self._here.items()):
            if moment - stranger.since <= ENTER_WITHIN:
                break  # they are in the order in which they came
            self._fanout.hang_up(engine_sid)
            self.left(engine_sid)
        self._opens.prune(moment)

    def _listen(self, server: Server) -> None:
        handlers = server.eio.handlers
        connected, disconnected = handlers["connect"], handlers["disconnect"]

        def connect(engine_sid: str, environ: dict[str, Any]) -> None:
            connected(engine_sid, environ)
            self.came(engine_sid, environ.get("REMOTE_ADDR", ""))

        def disconnect(engine_sid: str, reason: str) -> None:
            disconnected(engine_sid, reason)
            self.left(engine_sid)

        server.eio.on("connect", connect)
        server.eio.on("disconnect", disconnect)


class Threshold:
    """A WSGI application before another one: who opens a connection under `path` is asked for by `strangers`."""

    def __init__(self, app: Any, path: str, strangers: Strangers) -> None:
        self._app = app
        self._path = path
        self._strangers = strangers

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith(self._path) and "sid" not in parse_qs(environ.get("QUERY_STRING", "")):
            try:
                self._strangers.admit(environ.get("REMOTE_ADDR", ""))
            except ContractError as error:
                refused: Iterable[bytes] = refusal(error)(environ, start_response)
                return refused
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer
