"""The Socket.IO events: each handler turns a payload into one value and makes one call, and is always answered."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import gevent
import msgspec
import structlog
from flask_socketio import ConnectionRefusedError, SocketIO

from ingest_api.contract.errors import ContractError
from realtime.audience import Audience
from realtime.encodings import answered
from realtime.metrics import Metrics
from realtime.people import People
from realtime.rooms import EVERY_SOURCE, Room
from realtime.tops import MOST, Order, Tops
from realtime.unreadable import Unreadable
from realtime.visitors import Visitors

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
RoomName = Annotated[str, msgspec.Meta(min_length=1, max_length=2500)]  # a filter's text is part of it
Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
T = TypeVar("T")

log = structlog.get_logger()


class BadPayload(ContractError):
    """The payload does not fit the event: see docs/events.md."""

    code = "bad_payload"


class UnknownEvent(ContractError):
    """There is no such event: see docs/events.md."""

    code = "unknown_event"


class Join(msgspec.Struct, kw_only=True):
    """Enter a room; `since` 0 is everything present, absent is from now. `where` is a filter, `delta` asks for what
    changes altered instead of whole entries: both are in the name of the room that is answered."""

    room: RoomName
    since: Offset | None = None
    epoch: Name | None = None
    username: Name | None = None
    history: bool = False
    where: str | None = None
    delta: bool = False


class Leave(msgspec.Struct, kw_only=True):
    """Leave a room: by the name that was answered, or as it was joined."""

    room: RoomName
    where: str | None = None
    delta: bool = False


class Message(msgspec.Struct, kw_only=True):
    """A note to the people in a room; `msg` is another name for `text`, without `room` it is the only one joined."""

    room: RoomName | None = None
    text: str | None = None
    msg: str | None = None


class RequestTop(msgspec.Struct, kw_only=True):
    """The entries that come first by a field's numbers; without `room` of the only one joined, or the only source,
    without `by` by the field that the source leads with. `once` asks for the list as it is now, and no more."""

    room: RoomName | None = None
    by: Name | None = None
    order: Order = "desc"
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST)] | None = None
    once: bool = False


def register(
    socketio: SocketIO, audience: Audience, people: People, tops: Tops, visitors: Visitors, metrics: Metrics
) -> None:
    """Connects the events to `audience`, `people` and `tops`, for `visitors`."""

    def refused(sid: str, error: ContractError) -> dict[str, Any]:
        metrics.refused.labels(error.code).inc()
        if not answered.get():
            socketio.emit("error", _said(error), to=sid, ignore_queue=True)
        return {"ok": False, "error": _said(error)}

    server = socketio.server  # Flask's own door makes a request context for every event: nothing here needs one
    known: list[str] = []

    def on(event: str, kind: type[T]) -> Callable[[Callable[[str, T], dict[str, Any]]], None]:
        def connect(handle: Callable[[str, T], dict[str, Any]]) -> None:
            known.append(event)
            server.on(event, guarded(event, kind, handle, visitors, refused))

        return connect

    @on("join", Join)
    def join(sid: str, asked: Join) -> dict[str, Any]:
        room = Room.parse(asked.room, asked.where, asked.delta)
        if room.delta and asked.since is None:
            raise BadPayload("delta builds on what you have: join with since, your cursor, or 0 for everything present")
        there = people.enter(sid, room, visitors.called(sid, asked.username))
        try:
            answer = audience.join(sid, visitors.seen(sid, room), asked.since, asked.epoch, asked.history)
        except ContractError:
            people.leave(sid, room)
            raise
        gevent.spawn(people.replay, sid, room)
        return {**answer, **there}

    @on("leave", Leave)
    def leave(sid: str, asked: Leave) -> dict[str, Any]:
        room = Room.parse(asked.room, asked.where, asked.delta)
        audience.leave(sid, visitors.seen(sid, room))
        people.leave(sid, room)
        tops.leave(sid, room)
        return {"room": room.name}

    @on("message", str | Message)  # type: ignore[arg-type]
    def message(sid: str, asked: str | Message) -> dict[str, Any]:
        if isinstance(asked, str):
            return people.say(sid, None, asked)
        room = Room.parse(asked.room) if asked.room else None
        return people.say(sid, room, asked.text or asked.msg or "")

    @on("request_top", RequestTop)
    def request_top(sid: str, asked: RequestTop) -> dict[str, Any]:
        overview = visitors.seen(sid, EVERY_SOURCE)
        room = Room.parse(asked.room) if asked.room else tops.only(audience.rooms(sid), overview)
        top = tops.choose(room, asked.by, asked.order, asked.limit)
        (tops.show if asked.once else tops.follow)(sid, top)
        return {"room": room.name, "by": top.by, "order": top.order, "limit": top.limit}

    def unknown(event: str, sid: str, *_payload: Any) -> dict[str, Any]:
        try:
            visitors.charge(sid, event)
        except ContractError as error:
            return refused(sid, error)
        return refused(sid, UnknownEvent(f"there is no event {event[:100]!r}: there are {', '.join(known)}"))

    def came(sid: str, environ: dict[str, Any], auth: Any) -> None:
        try:
            visitors.enter(sid, environ, auth)
        except ContractError as error:
            visitors.refuse(sid)
            raise ConnectionRefusedError(error.message, _said(error)) from error

    def gone(sid: str, _reason: str) -> None:
        visitors.leave(sid)
        audience.drop(sid)
        people.drop(sid)
        tops.drop(sid)

    def ending(sid: str) -> None:
        audience.drop(sid)
        tops.drop(sid)

    visitors.ending = ending
    server.on("connect", came)
    server.on("*", unknown)
    server.on("disconnect", gone)


def guarded(
    event: str,
    kind: type[T],
    handle: Callable[[str, T], dict[str, Any]],
    visitors: Visitors,
    refused: Callable[[str, ContractError], dict[str, Any]],
) -> Callable[..., dict[str, Any]]:
    """A handler that answers whatever comes: `{"ok": true, …}` or `{"ok": false, "error": {code, message}}`.

    Whatever names a `room` is only for those who may join it.
    """

    def handler(sid: str, *payload: Any) -> dict[str, Any]:
        try:
            visitors.charge(sid, event)
            asked = _one(payload, kind)
            room = getattr(asked, "room", None)
            if room:
                visitors.permit(sid, room)
            return {"ok": True, **handle(sid, asked)}
        except ContractError as error:
            return refused(sid, error)
        except Exception:
            log.exception("event failed", event_name=event)
            return refused(sid, ContractError("something went wrong here; it was logged"))

    return handler


def _one(payload: tuple[Any, ...], kind: type[T]) -> T:
    for each in payload:
        if isinstance(each, Unreadable):
            raise BadPayload(f"the payload does not fit: {each.reason}")
    if len(payload) > 1:
        raise BadPayload(f"send one object, not {len(payload)}")
    try:
        return msgspec.convert(payload[0] if payload else {}, kind)
    except msgspec.ValidationError as error:
        raise BadPayload(f"the payload does not fit: {error}") from error


def _said(error: ContractError) -> dict[str, Any]:
    """`{code, message}`, with `retry_after` in seconds where waiting helps."""
    said: dict[str, Any] = {"code": error.code, "message": error.message}
    retry_after = getattr(error, "retry_after", None)
    return said if retry_after is None else {**said, "retry_after": retry_after}
