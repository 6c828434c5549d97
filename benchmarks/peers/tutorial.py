"""Flask-SocketIO as its documentation has it: `python tutorial.py PORT gevent|eventlet`."""

import sys

mode = sys.argv[2]
if mode == "eventlet":
    import eventlet

    eventlet.monkey_patch()
else:
    from gevent import monkey

    monkey.patch_all()

from entry import emit_all  # noqa: E402
from flask import Flask, request  # noqa: E402
from flask_socketio import SocketIO, join_room  # noqa: E402

app = Flask(__name__)
socketio = SocketIO(app, async_mode=mode, cors_allowed_origins="*")


@socketio.on("subscribe")
def subscribe(data):
    join_room(data["room"])
    return []


@app.route("/go")
def go():
    count, rate, turns = (float(request.args[name]) for name in ("m", "rate", "y"))
    socketio.start_background_task(
        emit_all, int(count), rate, bool(turns), lambda e: socketio.emit("entry", e, to="r"), socketio.sleep
    )
    return "ok"


more = {"max_size": 20000} if mode == "eventlet" else {}  # else it serves 1,024 connections
socketio.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_output=False, **more)
