"""How often one may ask, and how many connections one may have: a real server with small bounds."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import socketio
import websocket

from tests.conftest import Server, eventually
from tests.reader import Reader
from tests.servers import RedisServer
from tests.tokens import LOCKED, bearer, token


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, {**LOCKED, "PORTALWIRE_HTTP_LIMIT": "20/minute", "PORTALWIRE_CONNECTIONS": "2"})
    server.start()
    yield server
    server.stop()


def test_http_says_how_long_to_wait(narrow: Server) -> None:
    headers = bearer(token("*", sub="eager"))
    answers = [requests.get(f"{narrow.url}/api/sources", headers=headers, timeout=30) for _ in range(21)]
    assert {answer.status_code for answer in answers[:20]} == {200}
    last = answers[20]
    assert (last.status_code, last.json()["error"]["code"]) == (429, "slow_down")
    assert 1 <= int(last.headers["Retry-After"]) <= 61
    assert re.fullmatch(r"more than 20 requests a minute: wait \d+ s, then go on", last.json()["error"]["message"])
    other = requests.get(f"{narrow.url}/api/sources", headers=bearer(token("*", sub="calm")), timeout=30)
    assert other.status_code == 200, "each has its own"
    assert requests.get(f"{narrow.url}/healthz", headers=headers, timeout=30).ok


def test_whoever_has_no_token_is_counted_by_address(narrow: Server) -> None:
    codes = [
        requests.get(f"{narrow.url}/api/sources", headers=bearer(f"x{n}"), timeout=30).status_code for n in range(40)
    ]
    assert codes[0] == 401
    assert codes[-1] == 429


def test_connections_of_one_token(narrow: Server) -> None:
    mine = token("*")
    refusals: list[Any] = []
    with Reader(narrow.url, mine), Reader(narrow.url, mine) as second, Reader(narrow.url, token("*")):
        third = socketio.Client(reconnection=False)
        third.on("connect_error", refusals.append)
        with pytest.raises(socketio.exceptions.ConnectionError):
            third.connect(narrow.url, auth={"token": mine}, transports=["websocket"])
        third.disconnect()
        assert refusals[0]["data"]["code"] == "too_many_connections"
        second.drop()
        eventually(lambda: _connects(narrow.url, mine), what="there is room again")


def _connects(url: str, mine: str) -> bool:
    client = socketio.Client(reconnection=False)
    try:
        client.connect(url, auth={"token": mine}, transports=["websocket"])
    except socketio.exceptions.ConnectionError:
        return False
    finally:
        client.disconnect()
    return True


def test_events_are_answered_with_a_time_to_wait(narrow: Server) -> None:
    with Reader(narrow.url, token("*")) as reader:
        answers = [reader.ask("message", {"room": "vendor_x", "text": 7}) for _ in range(30)]
        codes = [answer["error"]["code"] for answer in answers]
        assert codes[0] != "slow_down", "a burst is welcome"
        assert codes[-1] == "slow_down"
        assert 0 < answers[-1]["error"]["retry_after"] <= 0.5
        assert re.fullmatch(r"too much at once: wait 0\.[1-5] s", answers[-1]["error"]["message"])
        assert reader.ask("join", {"room": "vendor_x"})["ok"], "other events are not slowed"


def test_processes_count_together_over_redis_and_alone_without_it(
    tmp_path: Path, redis_server: RedisServer, redis_url: str
) -> None:
    common = {**LOCKED, "PORTALWIRE_HTTP_LIMIT": "20/hour", "PORTALWIRE_REDIS_URL": redis_url}
    first = Server(tmp_path, common, "first")
    second = Server(tmp_path, {**common, "PORTALWIRE_DATABASE_URL": f"sqlite:///{first.database}"}, "second")
    headers = bearer(token("*"))

    def ask(server: Server) -> int:
        return requests.get(f"{server.url}/api/sources", headers=headers, timeout=30).status_code

    first.start()
    second.start()
    try:
        assert {ask(server) for _ in range(10) for server in (first, second)} == {200}
        assert [ask(first), ask(second)] == [429, 429]
        redis_server.kill()
        assert [ask(first), ask(second)] == [200, 200], "each counts for itself, and nobody waits"
    finally:
        first.stop()
        second.stop()


def test_two_tokens_of_one_name_are_two(narrow: Server) -> None:
    """Limits go by the token: whoever forgot --name when making two of them has not made one."""
    first, second = bearer(token("*", sub="someone")), bearer(token("*", sub="someone"))
    codes = [requests.get(f"{narrow.url}/api/sources", headers=first, timeout=30).status_code for _ in range(21)]
    assert codes[-1] == 429
    assert requests.get(f"{narrow.url}/api/sources", headers=second, timeout=30).status_code == 200


def opened(server: Server) -> websocket.WebSocket:
    address = f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4"
    client = websocket.create_connection(address, timeout=30)
    client.recv()
    return client


def over(client: websocket.WebSocket) -> bool:
    """Whether the server ends the connection."""
    try:
        while client.recv() not in ("", b""):
            pass
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        pass
    return True


def test_so_many_strangers_of_an_address(narrow: Server) -> None:
    """Two connections that did not say who they are; whoever did makes room for another one."""
    first, second = opened(narrow), opened(narrow)
    assert not _opens(narrow)
    refused = requests.get(f"{narrow.url}/socket.io/?transport=polling&EIO=4", timeout=30)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "slow_down")
    first.send("40" + json.dumps({"token": token("*")}))
    assert first.recv().startswith("40")
    third = opened(narrow)
    second.shutdown()
    eventually(lambda: _opens(narrow), what="who left makes room")
    first.shutdown()
    third.shutdown()


def _opens(server: Server) -> bool:
    try:
        opened(server).shutdown()
    except websocket.WebSocketBadStatusException:
        return False
    return True


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_a_connection_ends_after_its_first_refusal(narrow: Server, transport: str) -> None:
    if transport == "websocket":
        client = opened(narrow)
        client.send('40{"token":"bad"}')
        client.send('40{"token":"bad"}')
        assert client.recv().startswith("44")
        assert over(client)
        client.shutdown()
        return
    address = f"{narrow.url}/socket.io/?transport=polling&EIO=4"
    sid = json.loads(requests.get(address, timeout=30).text[1:])["sid"]
    requests.post(f"{address}&sid={sid}", data='40{"token":"bad"}', timeout=30)
    assert requests.get(f"{address}&sid={sid}", timeout=30).text.startswith("44")
    eventually(lambda: requests.get(f"{address}&sid={sid}", timeout=30).status_code == 400, what="it is over")
