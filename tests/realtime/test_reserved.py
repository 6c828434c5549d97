"""Events by the names of what happens to a connection: nothing happens to it, each is answered, no limit is evaded."""

import json
from collections.abc import Iterator

import msgpack
import pytest

from tests.conftest import Server, eventually
from tests.realtime.test_abuse import Raw
from tests.realtime.test_metrics import read
from tests.tokens import OPERATOR, bearer, deliver, locked, token

__all__ = ["locked"]

NAMES = ["disconnect", "connect", "connect_error", "disconnecting", "__disconnect_final", "*", "error"]
MANY = 400  # more than a client may send at once


@pytest.fixture
def client(locked: Server) -> Iterator[Raw]:
    with Raw(locked, f"40{json.dumps({'token': token('vendor_x', sub='somebody')})}") as client:
        yield client


@pytest.mark.parametrize("name", NAMES)
def test_each_is_answered_and_nothing_happens(client: Raw, locked: Server, name: str) -> None:
    client.socket.send('421["join",{"room":"vendor_x","since":0}]')
    assert client.acknowledged(1)["ok"]
    for number, more in enumerate(("", ',"transport close"', ",{}", ",1,2,3", ',{"token":"x"},null'), 2):
        client.socket.send(f'42{number}["{name}"{more}]')
        assert client.acknowledged(number)["error"]["code"] == "unknown_event"
    client.socket.send(f'42["{name}"]')
    assert client.until('42["error"', lambda packet: json.loads(packet[2:])[1]["code"]) == "unknown_event"
    deliver(locked, "vendor_x", {name: {"n": 1}})
    assert name in client.until('42["entries"', lambda packet: packet)  # still in its room
    client.socket.send('4299["leave",{"room":"vendor_x"}]')
    assert client.acknowledged(99)["ok"]


def test_the_same_in_messagepack(locked: Server) -> None:
    hello = msgpack.packb({"type": 0, "nsp": "/", "data": {"token": token("vendor_x")}})
    with Raw(locked, hello) as client:
        for number, name in enumerate(NAMES):
            client.socket.send_binary(msgpack.packb({"type": 2, "nsp": "/", "id": number, "data": [name, "x"]}))
            while (answer := msgpack.unpackb(client.binary()))["type"] != 3:
                pass
            assert answer["data"][0]["error"]["code"] == "unknown_event"


@pytest.mark.parametrize("name", NAMES)
def test_no_limit_is_evaded(client: Raw, name: str) -> None:
    for number in range(MANY):
        client.socket.send(f'42{number}["{name}","x"]')
    codes = [client.acknowledged(number)["error"]["code"] for number in range(MANY)]
    assert set(codes) == {"unknown_event", "slow_down"}
    assert codes[0] == "unknown_event"
    assert "slow_down" in codes[100:]


def test_an_end_is_not_put_off(locked: Server) -> None:
    with Raw(locked, f"40{json.dumps({'token': token('vendor_x', ttl=2)})}") as client:
        for number, name in enumerate(NAMES):
            client.socket.send(f'42{number}["{name}","x"]')
            client.acknowledged(number)
        assert client.until('42["error"', lambda packet: json.loads(packet[2:])[1]["code"]) == "expired"
        assert client.ended()


def test_who_says_it_is_gone_is_counted_as_there(locked: Server) -> None:
    def connections() -> float:
        return read(locked.url, bearer(OPERATOR))["portalwire_connections"]

    eventually(lambda: connections() == 0)
    with Raw(locked, f"40{json.dumps({'token': token('vendor_x')})}") as client:
        client.socket.send('421["disconnect","client disconnect"]')
        client.acknowledged(1)
        assert connections() == 1
