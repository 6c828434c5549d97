"""A client that does not take its frames: bounded memory, no delay for others, nothing missed when it goes on."""

import json
import socket
from pathlib import Path
from typing import Any

import websocket

from tests.conftest import Server
from tests.reader import Reader
from tests.sending import post

KEYS = 50
ROUNDS = 150
WIDE = "x" * 4000  # about 30 MB in all


def test_a_stalled_client_costs_a_cursor(server: Server) -> None:
    slow = _stalled(server)
    with Reader(server.url) as reader:
        reader.join("vendor_x")
        before = _memory(server.pid)
        for step in range(ROUNDS):
            receipt = post(server.url, "vendor_x", {f"k{n}": {"step": step, "wide": WIDE} for n in range(KEYS)})
        reader.reach("vendor_x", receipt["offset"])
        assert reader.violations == []
        assert _memory(server.pid) - before < 15_000, "kB held for a client that does not read"
    state, taken = _follow(slow, receipt["offset"])
    slow.close()
    assert {key: data["step"] for key, data in state.items()} == {f"k{n}": ROUNDS - 1 for n in range(KEYS)}
    assert taken < ROUNDS * KEYS, "it caught up with states, not with everything it missed"


def _stalled(server: Server) -> websocket.WebSocket:
    """Joins a room, and reads nothing from then on."""
    options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)]
    client = websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4", sockopt=options, timeout=60
    )
    client.recv()
    client.send("40")
    client.recv()
    client.send("421" + json.dumps(["join", {"room": "vendor_x", "since": 0}]))
    return client


def _follow(client: websocket.WebSocket, head: int) -> tuple[dict[str, dict[str, Any]], int]:
    """Reads on by the rule until `head`; the data of what is present, and how many changes came."""
    cursor, taken = 0, 0
    state: dict[str, dict[str, Any]] = {}
    while cursor < head:
        packet = client.recv()
        assert isinstance(packet, str)
        if packet == "2":
            client.send("3")
        if not packet.startswith("42"):
            continue
        event, frame = json.loads(packet[2:])
        if event != "entries":
            continue
        assert frame["after"] <= cursor, "a hole"
        for change in frame["changes"]:
            if change["offset"] > cursor:
                taken += 1
                state[change["key"]] = change["data"]
        cursor = max(cursor, frame["upto"])
    return state, taken


def _memory(pid: int) -> int:
    """Private memory of a process in kB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))
