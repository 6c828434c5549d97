"""A Socket.IO server that has nothing of ours but the fan-out: `python -m tests.protocol.hall PORT KIND [REDIS]`.

KIND is `direct` (websockets taken over), `packed` (the same, and MessagePack), `ordinary` (our manager under the plain
gevent transport, as under TLS) or `stock` (Flask-SocketIO as it comes: what all others must behave like).
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402
from geventwebsocket.handler import WebSocketHandler  # noqa: E402

from realtime import encodings, wirejson  # noqa: E402
from realtime.bus import Bus  # noqa: E402
from realtime.fanout.manager import DirectManager  # noqa: E402
from realtime.fanout.takeover import Handler, take_over  # noqa: E402
from realtime.messages import Messages  # noqa: E402
from realtime.serving import Server as HttpServer  # noqa: E402

SPACES = ("/", "/other")


def main(port: str, kind: str, redis_url: str = "") -> None:
    app = Flask(__name__)
    app.get("/readyz")(lambda: "ready")
    options: dict[str, Any] = {"async_mode": "gevent", "async_handlers": False, "manage_session": False}
    bus = Bus(redis_url) if redis_url else None
    if kind != "stock":
        options |= {"client_manager": Messages(bus) if bus else DirectManager(), "monitor_clients": False}
    if kind == "packed":
        options |= {"json": wirejson, "serializer": encodings.Packet}
    socketio = SocketIO(app, cors_allowed_origins="*", **options)
    if kind == "packed":
        encodings.speak_both(socketio.server)
    if kind in ("direct", "packed"):
        take_over(socketio.server)
    if kind != "stock":
        gevent.spawn(socketio.server.manager.pinger.run)
    if bus:
        bus.start()
    for space in SPACES:
        furnish(socketio.server, space)
    handler = Handler if kind in ("direct", "packed") else WebSocketHandler
    HttpServer(("127.0.0.1", int(port)), app, handler_class=handler, log=None).serve_forever()


def furnish(server: Any, space: str) -> None:
    """The events of a namespace."""

    def on(event: str) -> Any:
        return server.on(event, namespace=space)

    def say(room: str | None, number: int, **more: Any) -> None:
        server.emit("said", {"room": room, "number": number}, to=room, namespace=space, **more)

    @on("connect")
    def connect(sid: str, environ: dict[str, Any], auth: Any) -> None:
        """Everyone may."""

    @on("enter")
    def enter(sid: str, rooms: list[str]) -> list[str]:
        for room in rooms:
            server.enter_room(sid, room, namespace=space)
        return rooms

    @on("leave")
    def leave(sid: str, room: str) -> str:
        server.leave_room(sid, room, namespace=space)
        return room

    @on("post")
    def post(sid: str, asked: dict[str, Any]) -> int:
        """Numbers to a room, all in one turn of the loop or one a turn."""
        for number in range(asked["count"]):
            say(asked["room"], number, skip_sid=sid if asked.get("skip") else None)
            if asked.get("turns"):
                gevent.sleep(0)
        return int(asked["count"])

    @on("weave")
    def weave(sid: str, asked: dict[str, Any]) -> str:
        """Numbers to rooms in turn, and one to whoever asked in between."""
        for number in range(asked["count"]):
            say(asked["rooms"][number % len(asked["rooms"])], number)
            if number == asked["count"] // 2:
                say(sid, number)
        return "woven"

    @on("wide")
    def wide(sid: str, asked: dict[str, Any]) -> None:
        for number in range(asked["count"]):
            server.emit("wide", {"number": number, "text": "ä" * asked["size"]}, to=asked["room"], namespace=space)

    @on("ask me")
    def ask(sid: str, number: int) -> None:
        def answered(answer: Any) -> None:
            server.emit("heard", answer, to=sid, namespace=space)

        server.emit("question", number, to=sid, namespace=space, callback=answered)

    @on("bytes")
    def send_bytes(sid: str, room: str) -> None:
        server.emit("bytes", {"some": b"\x00\xff", "more": [b"\x01" * 70_000]}, to=room, namespace=space)

    @on("count bytes")
    def count_bytes(sid: str, data: Any) -> int:
        return len(data["some"])

    @on("several")
    def several(sid: str, *arguments: Any) -> tuple[Any, ...]:
        server.emit("several", arguments, to=sid, namespace=space)
        return arguments

    @on("end me")
    def end(sid: str) -> None:
        server.disconnect(sid, namespace=space)


if __name__ == "__main__":
    main(*sys.argv[1:])
