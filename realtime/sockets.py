"""The Socket.IO events: each handler turns a payload into one value and makes one call, and is always answered."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
import structlog
from flask import request
from flask_socketio import SocketIO

from ingest_api.contract.errors import ContractError
from realtime.audience import Audience
from realtime.rooms import Room

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
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
    """Enter a room; `since` 0 is everything present, absent is from now."""

    room: Name
    since: Offset | None = None
    epoch: Name | None = None
    username: Name | None = None
    history: bool = False


class Leave(msgspec.Struct, kw_only=True):
    """Leave a room."""

    room: Name


def register(socketio: SocketIO, audience: Audience) -> None:
    """Connects the events to `audience`."""

    def on(event: str, kind: type[T]) -> Callable[[Callable[[str, T], dict[str, Any]]], None]:
        def connect(handle: Callable[[str, T], dict[str, Any]]) -> None:
            socketio.on_event(event, guarded(event, kind, handle))

        return connect

    @on("join", Join)
    def join(sid: str, asked: Join) -> dict[str, Any]:
        return audience.join(sid, Room.parse(asked.room), asked.since, asked.epoch, asked.history)

    @on("leave", Leave)
    def leave(sid: str, asked: Leave) -> dict[str, Any]:
        audience.leave(sid, Room.parse(asked.room))
        return {"room": asked.room}

    def unknown(event: str, *_payload: Any) -> dict[str, Any]:
        return _refused(UnknownEvent(f"there is no event {event[:100]!r}: see docs/events.md"))

    def gone(*_reason: Any) -> None:
        audience.drop(request.sid)  # type: ignore[attr-defined]

    socketio.on_event("*", unknown)
    socketio.on_event("disconnect", gone)


def guarded(event: str, kind: type[T], handle: Callable[[str, T], dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A handler that answers whatever comes: `{"ok": true, …}` or `{"ok": false, "error": {code, message}}`."""

    def handler(*payload: Any) -> dict[str, Any]:
        try:
            return {"ok": True, **handle(request.sid, _one(payload, kind))}  # type: ignore[attr-defined]
        except ContractError as error:
            return _refused(error)
        except Exception:
            log.exception("event failed", event_name=event)
            return _refused(ContractError("something went wrong here; it was logged"))

    return handler


def _one(payload: tuple[Any, ...], kind: type[T]) -> T:
    if len(payload) != 1:
        raise BadPayload(f"send one object, not {len(payload)}")
    try:
        return msgspec.convert(payload[0], kind)
    except msgspec.ValidationError as error:
        raise BadPayload(f"the payload does not fit: {error}") from error


def _refused(error: ContractError) -> dict[str, Any]:
    return {"ok": False, "error": {"code": error.code, "message": error.message}}
