"""Portalwire's fan-out and nothing else of it: `python -m benchmarks.peers.direct PORT`."""

from gevent import monkey

monkey.patch_all()

import resource  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from flask import Flask, request  # noqa: E402
from flask_socketio import SocketIO  # noqa: E402

from benchmarks.peers.entry import emit_all  # noqa: E402
from realtime import encodings, wirejson  # noqa: E402
from realtime.fanout.manager import DirectManager  # noqa: E402
from realtime.fanout.takeover import Handler, take_over  # noqa: E402
from realtime.serving import Server as HttpServer  # noqa: E402


def main(port: int) -> None:
    app = Flask(__name__)
    manager = DirectManager()
    socketio = SocketIO(
        app,
        async_mode="gevent",
        json=wirejson,
        serializer=encodings.Packet,
        async_handlers=False,
        manage_session=False,
        monitor_clients=False,
        client_manager=manager,
    )
    encodings.speak_both(socketio.server)
    take_over(socketio.server)
    gevent.spawn(manager.pinger.run)

    def subscribe(sid: str, data: dict[str, str]) -> list[Any]:
        socketio.server.enter_room(sid, data["room"])
        return []

    socketio.server.on("connect", lambda sid, environ, auth: None)
    socketio.server.on("subscribe", subscribe)

    @app.get("/go")
    def go() -> str:
        count, rate, turns = (float(request.args[name]) for name in ("m", "rate", "y"))
        gevent.spawn(emit_all, int(count), rate, bool(turns), lambda e: socketio.emit("entry", e, to="r"), gevent.sleep)
        return "ok"

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    server = HttpServer(("127.0.0.1", port), app, backlog=4096, handler_class=Handler, log=None, error_log=None)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
