"""python-socketio's asynchronous server on uvicorn: `python asgi.py PORT`."""

import asyncio
import sys
from urllib.parse import parse_qs

import socketio
import uvicorn
from entry import entry

server = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*")


@server.on("subscribe")
async def subscribe(sid, data):
    await server.enter_room(sid, data["room"])
    return []


async def emit_all(count, rate, turns):
    began = asyncio.get_running_loop().time()
    for seq in range(count):
        wait = began + seq / rate - asyncio.get_running_loop().time() if rate else 0
        if wait > 0:
            await asyncio.sleep(wait)
        await server.emit("entry", entry(seq), to="r")
        if turns and not rate:
            await asyncio.sleep(0)


async def go(scope, receive, send):
    asked = {name: float(value) for name, (value,) in parse_qs(scope["query_string"].decode()).items()}
    server.start_background_task(emit_all, int(asked["m"]), asked["rate"], bool(asked["y"]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


app = socketio.ASGIApp(server, go)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", backlog=4096)
