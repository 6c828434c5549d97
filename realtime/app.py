"""The composition root: only here do the store, the feed, the sockets and the doors know each other."""

import logging
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import gevent
import structlog
from flask import Flask, Response, g, request
from flask_socketio import SocketIO
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from ingest_api.contract.errors import ContractError
from ingest_api.contract.wire import MAX_BODY
from ingest_api.http import answer, door, refusal, request_id
from ingest_api.paths import TextConverter
from realtime import encodings, gauges, sockets, wirejson
from realtime.access import Access
from realtime.api import api
from realtime.audience import Audience
from realtime.bus import connect
from realtime.clock import Clock
from realtime.compression import compress
from realtime.dashboard.app import mount
from realtime.dashboard.content import Content
from realtime.doorway import Doorway
from realtime.fanout import Fanout
from realtime.fanout.manager import DirectManager
from realtime.fanout.takeover import take_over
from realtime.feed import Feed
from realtime.guard import guard
from realtime.housekeeping import Housekeeping
from realtime.intake import StoreIntake
from realtime.lease import Lease
from realtime.lists import lists
from realtime.loops import kept
from realtime.metrics import Metrics, metrics_page
from realtime.origins import Origins
from realtime.page import HEADERS, pages
from realtime.people import People
from realtime.polls import Polls
from realtime.pulse import Pulse
from realtime.redis_side import RedisSide
from realtime.serving import SOCKETS
from realtime.session import session
from realtime.settings import Settings
from realtime.shelf import QUICK, MemoryShelf, RedisShelf, Shelf
from realtime.siblings import Siblings
from realtime.store import read
from realtime.store.commit import parts_of
from realtime.store.store import Store
from realtime.strangers import Strangers, Threshold
from realtime.tops import Tops
from realtime.visitors import Visitors

MESSAGE = 64 * 1024  # bytes a client may send in one message

log = structlog.get_logger()


class App:
    """The server, put together: a WSGI application, the loops behind it, and how to end them."""

    def __init__(self, settings: Settings, siblings: Siblings | None = None) -> None:
        self._feed: Feed | None = None
        self._redis = RedisSide(settings.redis_url, settings.redis_claim_after) if settings.redis_url else None
        self.flask = Flask("portalwire", static_folder=None)
        self.flask.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
        self.flask.url_map.converters["text"] = TextConverter
        metrics = Metrics()
        self.numbers = metrics.own
        self.store = Store(settings.database_url, self._told, metrics.commit_seconds.observe, metrics.reads.inc)
        access = Access(settings.secret, self.store)
        _add_manners(self.flask, metrics, self._quiet)
        compress(self.flask)
        limiter = guard(self.flask, access, settings)
        socketio = SocketIO(
            self.flask,
            async_mode="gevent",
            json=wirejson,
            serializer=encodings.Packet,
            async_handlers=False,  # a client's events one after the other; only it waits for them
            max_http_buffer_size=MESSAGE,
            manage_session=False,
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
            monitor_clients=False,  # the manager's pinger does
            http_compression=True,
            cors_allowed_origins=Origins.read(settings.origins).allow,
            client_manager=self._redis.messages if self._redis else DirectManager(),
        )
        if siblings is not None:
            _name_sessions(socketio.server.eio, siblings)
        encodings.speak_both(socketio.server)
        if settings.tls_certificate is None:
            take_over(socketio.server)
        fanout = Fanout(socketio)
        pulse = Pulse(fanout)
        self._feed = Feed(self.store, fanout, pulse, metrics)
        self.over = self._feed.over
        strangers = Strangers(socketio.server, fanout, None if access.open else settings.connections)
        visitors = Visitors(access, socketio, fanout, strangers, settings.connections)
        fanout.before = visitors.sweep
        people = People(self.store, socketio)
        audience = Audience(self.store, self._feed, fanout, metrics)
        tops = Tops(self.store, self._feed, fanout, _shelves(settings))
        sockets.register(socketio, audience, people, tops, visitors, metrics)
        intake = StoreIntake(self.store, metrics, self._quiet)
        for blueprint in (
            door(intake),
            api(self.store, intake),
            lists(self.store, tops),
            session(access, limiter),
            metrics_page(metrics, siblings),
            pages(self.flask, version("portalwire")),
        ):
            self.flask.register_blueprint(blueprint)
        mount(self.flask, Content(self.store, tops))
        _add_health(self.flask, self.store)
        polls = Polls(self.flask.wsgi_app, SOCKETS, MESSAGE)
        self.flask.wsgi_app = Doorway(Threshold(polls, SOCKETS, strangers), settings)  # type: ignore[method-assign]
        bus = self._redis.bus if self._redis else None
        for reading in (
            gauges.of_feed(self.store, self._feed, metrics.names),
            gauges.of_clients(visitors, audience, fanout),
            gauges.of_writer(self.store),
            gauges.of_redis(bus),
        ):
            metrics.watch(reading)
        metrics.watch_shared(gauges.of_sources(self.store, metrics.names))
        metrics.watch_shared(gauges.of_runs(self.store))
        metrics.watch_shared(gauges.of_stream(connect(settings.redis_url, QUICK) if settings.redis_url else None))
        self._clock = Clock(Lease(self.store, "clock"), self.store.epoch, partial(_tick, fanout, self._feed), bus)
        doors = self._redis.open(self._feed, intake) if self._redis else []
        self._loops = [
            gevent.spawn(kept(loop, metrics))
            for loop in (
                socketio.server.manager.pinger.run,
                self._feed.run,
                self._clock.run,
                visitors.run,
                access.run,
                people.run,
                tops.run,
                pulse.run,
                Housekeeping(self.store, settings.log_days).run,
                *doors,
            )
        ]

    def _told(self, result: Any) -> None:
        for part in parts_of(result):
            if self._feed is not None:
                self._feed.tell(part)
            if self._redis is not None:
                self._redis.tell(part)

    def _quiet(self, source: str) -> bool:
        return self._feed is not None and self._feed.watermarks.quiet(source)

    def close(self) -> None:
        """Finishes what was accepted, then ends the loops."""
        gevent.killall(self._loops)
        self._clock.close()
        if self._redis is not None:
            self._redis.close()
        self.store.close()


def _tick(fanout: Fanout, feed: Feed, payload: dict[str, str]) -> None:
    """The time to everyone, then the watermarks that moved: each process tells its own, and none is ahead of what that
    process has sent."""
    fanout.broadcast("time", payload)
    feed.stir()


def _shelves(settings: Settings) -> list[Shelf]:
    """Where answers are kept: in this process, then where all processes find them."""
    shared = [RedisShelf(connect(settings.redis_url, timeout=QUICK))] if settings.redis_url else []
    return [MemoryShelf(), *shared]


def _name_sessions(engine: Any, siblings: Siblings) -> None:
    """A session's id says which process it is of."""
    made = engine.generate_id
    engine.generate_id = lambda: siblings.name(made())


def _add_health(app: Flask, store: Store) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return answer({"ok": True})

    @app.get("/readyz")
    def readyz() -> Response:
        store.read(read.vitals)
        return answer({"ok": True, "epoch": store.epoch})


def _add_manners(app: Flask, metrics: Metrics, quiet: Callable[[str], bool]) -> None:
    """What every request gets: an id, a log line, headers, and an error that says what to do. What only looks, or
    brings something of a `quiet` source, is logged for debugging only."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def end(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["X-Request-ID"] = request_id()
        metrics.request(request.method, response.status_code)
        source = structlog.contextvars.get_contextvars().get("source", "")  # the intake binds it
        usual = response.status_code < 400 and (request.method == "GET" or quiet(source))
        (log.debug if usual else log.info)(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round((time.perf_counter() - g.began) * 1000, 1),
        )
        return response

    @app.errorhandler(ContractError)
    def refused(error: ContractError) -> Response:
        return refusal(error)

    @app.errorhandler(HTTPException)
    def not_http(error: HTTPException) -> Response:
        code = (error.name or "error").lower().replace(" ", "_")
        return answer({"error": {"code": code, "message": _explained(error)}}, error.code or 500)

    @app.errorhandler(Exception)
    def broken(_error: Exception) -> Response:
        log.exception("request failed")
        return answer({"error": {"code": "internal", "message": "something went wrong here; it was logged"}}, 500)


def _explained(error: HTTPException) -> str:
    if isinstance(error, NotFound):
        return f"there is nothing at {request.path}: see /docs"
    if isinstance(error, MethodNotAllowed):
        return f"{request.path} takes {', '.join(error.valid_methods or ())}, not {request.method}: see /docs"
    return error.description or "see /docs"
