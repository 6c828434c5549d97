"""All clients of a server come back at once: what they missed is read once for all of them, and nothing is missed."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import websocket

from realtime.store.read import PAGE
from tests.conftest import Server, eventually
from tests.faults.configurations import PROCESSES
from tests.faults.installations import Installation
from tests.faults.numbers import numbers
from tests.faults.table import Row, record
from tests.sending import post

CLIENTS = 200
KEYS = PAGE + 10
PAGES = 2
ROOM = "herd"
FEW = 60  # readings of who is there and of notes, which each client asks for


class Client:
    """Joins the room from its cursor on, and follows it by the rule."""

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self.steps: dict[str, int] = {}
        self.violations: list[str] = []
        self._socket: websocket.WebSocket | None = None

    def connect(self, server: Server) -> None:
        self.go()
        address = f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4"
        self._socket = websocket.create_connection(address, timeout=60, skip_utf8_validation=True)
        self._socket.recv()
        self._socket.send("40")
        self._socket.recv()

    def come(self, head: int, together: threading.Barrier) -> None:
        assert self._socket is not None
        together.wait(60)
        self._socket.send("421" + json.dumps(["join", {"room": ROOM, "since": self.cursor}]))
        while self.cursor < head:
            packet = str(self._socket.recv())
            if packet == "2":
                self._socket.send("3")
            self._take(packet)

    def go(self) -> None:
        if self._socket is not None:
            self._socket.shutdown()

    def _take(self, packet: str) -> None:
        if not packet.startswith('42["entries"'):
            return
        frame: dict[str, Any] = json.loads(packet[2:])[1]
        if frame["after"] > self.cursor:
            self.violations.append(f"at {self.cursor}, a frame after {frame['after']}")
        self.steps |= {each["key"]: each["data"]["step"] for each in frame["changes"] if each["offset"] > self.cursor}
        self.cursor = max(self.cursor, frame["upto"])


def test_what_a_herd_missed_is_read_once(installation: Installation) -> None:
    server = installation.server
    begun = _change(server, step=1)
    clients = [Client(begun) for _ in range(CLIENTS)]
    try:
        for client in clients:
            client.connect(server)
        _again(server)  # they are gone with their server
        head = _change(server, step=2)
        _again(server)  # and it has nothing in memory
        for client in clients:
            client.connect(server)
        before = numbers(server)
        together = threading.Barrier(CLIENTS)
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda client: client.come(head, together), clients))
        after = numbers(server)
    finally:
        for client in clients:
            client.go()
    wrong = [client for client in clients if client.violations or client.steps != {f"k{n}": 2 for n in range(KEYS)}]
    record(Row("a herd comes back", installation.name, 4, len(wrong), CLIENTS, "clients"), wrong)
    processes = 3 if installation.name == PROCESSES else 1
    read = {name: sum(after[name]) - sum(before[name]) for name in ("pages_read_total", "store_reads_total")}
    assert 0 < read["pages_read_total"] <= processes * PAGES
    assert read["store_reads_total"] < processes * FEW


def _change(server: Server, step: int) -> int:
    """Everything in the room changes; its head then."""
    offset: int = post(server.url, ROOM, {f"k{number}": {"step": step} for number in range(KEYS)})["offset"]
    return offset


def _again(server: Server) -> None:
    server.kill()
    eventually(lambda: _is_silent(server), what="its other processes have ended too")
    server.start()


def _is_silent(server: Server) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", server.port)) != 0
