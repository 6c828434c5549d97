"""Promise 6: clients that do not take their frames cost a bounded memory, and miss nothing when they go on."""

import json
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Any

import websocket

from realtime.fanout import BOUND
from tests.conftest import Server, eventually
from tests.faults.installations import Installation
from tests.faults.numbers import memory, numbers
from tests.faults.table import Row, record
from tests.reader import Reader
from tests.sending import post

STALLED = 200
BESIDE = 3  # clients that take their frames
KEYS = 25
ROUNDS = 60
WIDE = "x" * 2000  # 50 kB a round, 3 MB in all: the kernel takes a little of it
MOST = 2 * BOUND  # bytes that one of them may cost
ROOM = "slow"


def test_stalled_clients_cost_a_bound_each_and_end_right(installation: Installation) -> None:
    server = installation.server
    post(server.url, ROOM, {f"k{number}": {"step": -1} for number in range(KEYS)})
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(stalled(server))) for _ in range(STALLED)]
        readers = [stack.enter_context(Reader(server.url)) for _ in range(BESIDE)]
        for reader in readers:
            reader.join(ROOM)
        before = memory(server)
        head, queued, held = feed(server, readers)
        held -= before
        eventually(lambda: sum(numbers(server)["lagging_clients_total"]) >= STALLED, what="they left the room")
        assert queued > BOUND // 2, "they were slow indeed"
        with ThreadPoolExecutor(STALLED) as pool:
            followed = list(pool.map(lambda client: _follow(client, head), slow))
    name = installation.name
    record(Row("stalled clients: bytes queued for one", name, 6, int(queued > MOST), STALLED, "clients"), [queued])
    record(Row("stalled clients: memory of one", name, 6, int(held > MOST * STALLED), STALLED, "clients"), [held])
    last = dict.fromkeys((f"k{n}" for n in range(KEYS)), ROUNDS - 1)
    wrong: list[Any] = [broken or steps for steps, _, broken in followed if broken or steps != last]
    record(Row("stalled clients read on", name, 4, len(wrong), STALLED, "clients"), wrong)
    # who is lagging too misses what was superseded meanwhile
    every = list(range(1, head + 1))
    held_up = [reader.violations for reader in readers if [c["offset"] for c in reader.changes[ROOM]] != every]
    held_up += [reader.violations for reader in readers if reader.violations]
    record(Row("stalled clients: those beside them", name, 6, len(held_up), BESIDE, "clients"), held_up)
    assert all(taken < ROUNDS * KEYS for _, taken, _ in followed), "they caught up with states, not with all"


def feed(server: Server, readers: Sequence[Reader] = ()) -> tuple[int, float, int]:
    """What those who read nothing cannot take: the head after it, how many bytes waited for one client, and the memory
    of the server, at most."""
    held, queued = 0, 0.0
    for step in range(ROUNDS):
        head: int = post(server.url, ROOM, {f"k{n}": {"step": step, "wide": WIDE} for n in range(KEYS)})["offset"]
        if step % 10 == 0 or step == ROUNDS - 1:
            for reader in readers:  # else they might lag because of us
                reader.reach(ROOM, head)
            queued = max(queued, *numbers(server)["bytes_waiting_most"])
            held = max(held, memory(server))
    return head, queued, held


def stalled(server: Server) -> websocket.WebSocket:
    """Joins a room, and reads nothing from then on."""
    options = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)]
    client = websocket.create_connection(
        f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4",
        sockopt=options,
        timeout=60,
        skip_utf8_validation=True,
    )
    client.recv()
    client.send("40")
    client.recv()
    client.send("421" + json.dumps(["join", {"room": ROOM, "since": 0}]))
    return client


def _follow(client: websocket.WebSocket, head: int) -> tuple[dict[str, int], int, list[str]]:
    """Reads on until `head`; the newest step of each key, how many changes came, and what broke the rule."""
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024 * 1024)
    cursor, taken = 0, 0
    steps: dict[str, int] = {}
    broken: list[str] = []
    while cursor < head:
        packet = client.recv()
        assert isinstance(packet, str)
        if packet == "2":
            client.send("3")
        if not packet.startswith('42["entries"'):
            continue
        frame: dict[str, Any] = json.loads(packet[2:])[1]
        if frame["after"] > cursor:
            broken.append(f"a hole: at {cursor}, a frame after {frame['after']}")
        for change in frame["changes"]:
            if change["offset"] > cursor:
                taken += 1
                steps[change["key"]] = change["data"]["step"]
        cursor = max(cursor, frame["upto"])
    return steps, taken, broken
