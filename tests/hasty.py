"""`python -m realtime.serve` that waits for nobody: its bounds are fractions of a second. `python -m tests.hasty`"""

from functools import partial

import typer

from realtime import (
    app,
    serve,  # first: gevent must be in place before anything else
    serving,
    websocket,
)

HEADER, BETWEEN = 0.5, 0.5  # seconds
PING, ANSWER = 0.3, 0.3

if __name__ == "__main__":
    serving.BoundedHandler.header = serving.BoundedHandler.idle = HEADER
    serving.BoundedHandler.between = BETWEEN
    serving.BoundedHandler.whole = 2 * BETWEEN
    websocket.Handler.silence = PING + ANSWER
    app.SocketIO = partial(app.SocketIO, ping_interval=PING, ping_timeout=ANSWER)
    typer.run(serve.serve)
