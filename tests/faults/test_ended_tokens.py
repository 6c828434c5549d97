"""Promise 10: nothing is sent after a token expired or was revoked, however busy the room and slow the client."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests
import websocket

from ingest_api.auth import read
from tests.conftest import Server, eventually
from tests.reader import Reader
from tests.tokens import LOCKED, OPERATOR, SECRET, bearer, deliver, locked, token  # noqa: F401

WITHIN = 2.0  # seconds
WIDE = "x" * 4000


@contextmanager
def busy(server: Server, source: str, keys: int = 5) -> Iterator[None]:
    """Changes of a source, without a pause."""
    ending = threading.Event()

    def work() -> None:
        step = 0
        while not ending.is_set():
            step += 1
            deliver(server, source, {f"k{number}": {"step": step, "wide": WIDE} for number in range(keys)})

    worker = threading.Thread(target=work)
    worker.start()
    yield
    ending.set()
    worker.join()


class Client:
    """A websocket that speaks just enough Socket.IO, and knows when each event came."""

    def __init__(self, server: Server, by: str, room: str, username: str | None = None, **options: Any) -> None:
        address = f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4"
        self._socket = websocket.create_connection(address, timeout=30, **options)
        self._socket.recv()
        self._socket.send("40" + json.dumps({"token": by}))
        self.connected = str(self._socket.recv())
        for number, name in enumerate((room, "*")):
            join = {"room": name, "since": 0, **({"username": username} if username and name != "*" else {})}
            self._socket.send(f"42{number}" + json.dumps(["join", join]))
        self.events: list[tuple[float, str, Any]] = []  # when, event, payload
        self.ended: float | None = None

    def read_to_the_end(self) -> None:
        """Takes what comes until the server closes the connection."""
        try:
            while packet := self._socket.recv():
                if packet == "2":
                    self._socket.send("3")
                elif str(packet).startswith("42"):
                    self.events.append((time.time(), *json.loads(packet[2:])))
        except (websocket.WebSocketConnectionClosedException, OSError):
            pass
        self.ended = time.time()
        self._socket.shutdown()


def expiring(room: str, seconds: int) -> tuple[str, float]:
    """A token for a room, and when it ends."""
    now = int(time.time()) + 1
    return token(room, ttl=seconds, now=now), now + seconds


def test_nothing_comes_after_a_token_expired(locked: Server) -> None:  # noqa: F811
    with busy(locked, "exp_a"):
        by, end = expiring("exp_a", 3)
        client = Client(locked, by, "exp_a")
        client.read_to_the_end()
    assert client.ended is not None
    assert client.ended < end + WITHIN
    assert [event for at, event, _ in client.events if at > end] == []
    at, event, payload = client.events[-1]
    assert (event, payload["code"]) == ("error", "expired")
    assert payload["message"] == "Your access has ended: sign in again, or send a newer token."
    assert {event for _, event, _ in client.events} >= {"entries", "watermark"}
    assert at > end - 1, "it was served until then"


def test_many_named_clients_expire_at_once_in_a_busy_room(locked: Server) -> None:  # noqa: F811
    """Who leaves is told to the store, by whoever finds that a token has ended: it may be the store's own writer."""
    with busy(locked, "exp_n"):
        by, end = expiring("exp_n", 3)
        clients = [Client(locked, by, "exp_n", username=f"person {number}") for number in range(12)]
        readers = [threading.Thread(target=client.read_to_the_end) for client in clients]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(60)
    for client in clients:
        assert client.ended is not None
        assert client.ended < end + WITHIN
        assert [event for at, event, _ in client.events if at > end] == []
    with Reader(locked.url, OPERATOR) as reader:
        joined = reader.join("exp_n")
        assert joined["people"] == []
        assert deliver(locked, "exp_n", {"last": {"n": 1}}).status_code == 200


def test_nothing_that_waited_is_sent_after_a_token_expired(locked: Server) -> None:  # noqa: F811
    by, end = expiring("exp_b", 3)
    slow = Client(locked, by, "exp_b", sockopt=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)])
    with busy(locked, "exp_b", 50):
        eventually(lambda: time.time() > end + WITHIN, what="it expired while nobody read")
    head = deliver(locked, "exp_b", {"last": {}}).json()["offset"]
    slow.read_to_the_end()
    offsets = [payload["upto"] for _, event, payload in slow.events if event == "entries"]
    assert offsets == [] or max(offsets) < head
    assert len(slow.events) < 200, "what the kernel had taken, and not what waited with us"


def test_a_caller_whose_token_ended_gets_no_answer(locked: Server) -> None:  # noqa: F811
    by, end = expiring("exp_c", 2)
    with Reader(locked.url, by) as reader:
        assert reader.join("exp_c")["ok"]
        reader.wait(lambda: reader.errors, "it is told")
        assert time.time() < end + WITHIN
        assert reader.errors[0]["code"] == "expired"
    eventually(lambda: time.time() > end)
    answer = requests.get(f"{locked.url}/api/sources", headers=bearer(by), timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "expired")


@pytest.fixture
def beside(locked: Server) -> Iterator[Server]:  # noqa: F811
    """A second server process on the same database."""
    server = Server(locked.folder, {**LOCKED, "PORTALWIRE_DATABASE_URL": f"sqlite:///{locked.database}"}, "beside")
    server.start()
    yield server
    server.stop()


def test_a_revoked_token_ends_everywhere_within_two_seconds(locked: Server, beside: Server) -> None:  # noqa: F811
    by = token("rev_a")
    jti = _jti(by)
    with Reader(locked.url, by) as here, Reader(beside.url, by) as there, Reader(beside.url, token("rev_a")) as other:
        for reader in (here, there, other):
            assert reader.join("rev_a")["ok"]
        offset = deliver(locked, "rev_a", {"k": {"n": 1}}).json()["offset"]
        for reader in (here, there, other):
            reader.reach("rev_a", offset)
        answer = requests.post(
            f"{locked.url}/api/tokens/revoke", json={"jti": jti}, headers=bearer(OPERATOR), timeout=30
        )
        revoked_at = time.monotonic()
        assert answer.status_code == 204
        here.wait(lambda: here.errors, "told here")
        there.wait(lambda: there.errors, "told there")
        assert time.monotonic() - revoked_at < WITHIN
        assert [error["code"] for error in here.errors + there.errors] == ["revoked", "revoked"]
        offset = deliver(locked, "rev_a", {"k": {"n": 2}}).json()["offset"]
        other.reach("rev_a", offset)
        assert here.cursors["rev_a"][0] < offset
        assert there.cursors["rev_a"][0] < offset
        assert other.errors == []
    for server in (locked, beside):
        answer = requests.get(f"{server.url}/api/sources", headers=bearer(by), timeout=30)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "revoked")


def test_a_revocation_outlives_the_server(server: Server) -> None:
    server.stop()
    server.environment = LOCKED
    server.start()
    by = token("*")
    requests.post(
        f"{server.url}/api/tokens/revoke", json={"jti": _jti(by)}, headers=bearer(OPERATOR), timeout=30
    ).raise_for_status()
    server.kill()
    server.start()
    assert requests.get(f"{server.url}/api/sources", headers=bearer(by), timeout=30).status_code == 401


def test_a_connection_that_never_says_who_it_is_is_closed(locked: Server) -> None:  # noqa: F811
    stranger = websocket.create_connection(
        f"ws://127.0.0.1:{locked.port}/socket.io/?transport=websocket&EIO=4", timeout=30
    )
    assert stranger.recv()
    eventually(lambda: _is_closed(stranger), what="it is closed")
    stranger.shutdown()


def _is_closed(stranger: websocket.WebSocket) -> bool:
    try:
        return not stranger.recv()
    except (websocket.WebSocketConnectionClosedException, ConnectionResetError):
        return True


def _jti(by: str) -> str:
    return read(SECRET, by, time.time()).jti
