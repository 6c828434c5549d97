"""Whatever a client sends, it is answered or cut off, nothing internal is told, no traceback is logged, and another
client's stream goes on as if nothing were."""

import base64
import itertools
import json
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest
import requests
import websocket

from realtime.encodings import ATTACHMENTS
from tests.conftest import Server, eventually
from tests.reader import Reader
from tests.sending import post

LEAKS = ("Traceback", "sqlite", "SELECT", 'File "', "site-packages", "realtime.", "object at 0x")


@pytest.fixture(scope="module")
def watched(module_server: Server) -> Iterator[tuple[Server, Reader]]:
    """A server under attack, and a reader who has a right to its stream."""
    with Reader(module_server.url) as reader:
        reader.join("vendor_x")
        yield module_server, reader


@pytest.fixture(autouse=True)
def undisturbed(watched: tuple[Server, Reader]) -> Iterator[None]:
    """After each attack the reader's stream goes on, without a hole, and the log has no traceback."""
    server, reader = watched
    before = server.log.stat().st_size
    yield
    receipt = post(server.url, "vendor_x", {"a": {"n": next(_numbers)}})
    reader.reach("vendor_x", receipt["offset"])
    assert reader.violations == []
    assert reader.errors == []
    log = server.log.read_bytes()[before:].decode()
    assert "Traceback" not in log, log[max(0, log.find("Traceback") - 500) :][:3000]


_numbers = itertools.count()
_refs = itertools.count(1)

WRONG: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    1.5,
    2**53,
    2**63,
    -(2**64),
    1e308,
    "",
    "x",
    " ",
    "Ä/ø",
    "\x00",
    "😀",
    "a" * 201,
]
WRONG += [
    "a" * 3000,
    "vendor_x/" + "t" * 101,
    "*/x",
    "../../etc/passwd",
    "%00",
    "' OR 1=1 --",
    "<script>",
    "{{7*7}}",
    "vendor_x?where=",
]
WRONG += [
    "vendor_x?where=" + "(" * 300,
    "vendor_x?delta",
    "?",
    [],
    [[]],
    ["vendor_x"],
    {},
    {"room": "vendor_x"},
    {"": {}},
]
FIELDS = ["room", "since", "epoch", "username", "history", "where", "delta", "text", "msg", "by", "order", "limit"]


def payloads() -> list[Any]:
    """Wrong types, wrong fields, wrong sizes: more than 200."""
    bare: list[Any] = [
        *WRONG,
        "x" * 60_000,
        [None] * 10_000,
        {str(n): n for n in range(4000)},
        _deep(400),
        {"room": _deep(400)},
    ]
    fields = [
        {"room": "vendor_z", field: value} for field, value in itertools.product(FIELDS, WRONG) if field != "room"
    ]
    rooms = [{"room": value} for value in WRONG]
    more = [
        {"room": "vendor_z", "no such field": 1},
        {"room": "vendor_z", "__class__": {"__init__": {}}},
        {"ROOM": "vendor_z"},
    ]
    return [*bare, *rooms, *fields, *more]


def _deep(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class Raw:
    """A websocket of our own, so that anything can be sent over it."""

    def __init__(self, server: Server, hello: str | bytes | None = "40") -> None:
        self.port = server.port
        self.socket = websocket.create_connection(
            f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4", timeout=30
        )
        self.socket.recv()
        if hello is not None:
            self.socket.send_binary(hello) if isinstance(hello, bytes) else self.socket.send(hello)
            self.socket.recv()

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.shutdown()

    def acknowledged(self, number: int) -> Any:
        """What the event with this number is answered."""
        return self.until(f"43{number}[", lambda packet: json.loads(packet[2 + len(str(number)) :])[0])

    def until(self, beginning: str, read: Callable[[str], Any] = str) -> Any:
        while True:
            packet = self.socket.recv()
            if packet == "2":
                self.socket.send("3")
            if isinstance(packet, str) and packet.startswith(beginning):
                assert not any(leak in packet for leak in LEAKS), packet[:500]
                return read(packet)

    def binary(self) -> bytes:
        """The next message in MessagePack."""
        while not isinstance(packet := self.socket.recv(), bytes):
            if packet == "2":
                self.socket.send("3")
        assert not any(leak.encode() in packet for leak in LEAKS), packet[:500]
        return packet

    def ended(self) -> bool:
        """Whether the server ends the connection, whatever it says before."""
        self.socket.settimeout(10)
        try:
            while (packet := self.socket.recv()) not in ("", b""):
                if packet == "2":
                    return False  # it goes on as ever
        except (websocket.WebSocketConnectionClosedException, ConnectionError):
            return True
        return True


def events(server: Server) -> list[str]:
    """Every event that the server has a handler for, as it says itself, and one that it does not know."""
    with Raw(server) as client:
        client.socket.send('421["no such event",{}]')
        said: str = client.acknowledged(1)["error"]["message"]
    found = said.partition("there are ")[2].split(", ")
    assert {"join", "leave"} <= set(found)
    return [*found, "no such event"]


def test_two_hundred_malformed_payloads_at_each_event(watched: tuple[Server, Reader]) -> None:
    server, _ = watched
    assert len(payloads()) > 200
    for event in events(server):
        with Raw(server) as client:
            for payload in payloads():
                number = next(_refs)
                client.socket.send(f"42{number}" + json.dumps([event, payload], separators=(",", ":")))
                _is_answer(client.acknowledged(number), event)


def test_the_same_in_messagepack(watched: tuple[Server, Reader]) -> None:
    server, _ = watched
    values = [value for value in payloads() if not _too_big(value)]
    for event in events(server):
        with Raw(server, msgpack.packb({"type": 0, "nsp": "/"})) as client:
            for payload in [*values, b"\x00\xff", msgpack.Timestamp(1), {1: 2}, {b"room": b"vendor_z"}]:
                number = next(_refs)
                packet = {"type": 2, "nsp": "/", "id": number, "data": [event, payload]}
                client.socket.send_binary(msgpack.packb(packet, default=str))
                while (answer := msgpack.unpackb(client.binary()))["type"] != 3 or answer["id"] != number:
                    pass
                _is_answer(answer["data"][0], event)


def _too_big(value: Any) -> bool:
    try:
        return len(msgpack.packb(value)) > 60_000
    except OverflowError:
        return True


def _is_answer(answer: Any, event: str) -> None:
    assert answer["ok"] in (True, False)
    if not answer["ok"]:
        assert {"code", "message"} <= answer["error"].keys() <= {"code", "message", "retry_after"}, (event, answer)
        assert answer["error"]["code"] not in ("invalid", "internal"), (event, answer)


def test_who_waits_for_no_answer_hears_an_error(watched: tuple[Server, Reader]) -> None:
    server, _ = watched
    for event in events(server):
        with Raw(server) as client:
            client.socket.send(f"42{json.dumps([event, {'room': 5}])}")
            code = client.until('42["error"', lambda packet: json.loads(packet[2:])[1]["code"])
            assert code in ("bad_payload", "unknown_event")


HALF = ['"\\ud800"', '{"room":"vendor_z","text":"\\udc00 hello"}', '{"room":"vendor_z","username":"a\\ud83d"}', "[NaN]"]


@pytest.mark.parametrize("payload", [*HALF, "[" * 1200 + "]" * 1200, '{"room":"vendor_z"},"\\ud800"'])
def test_a_payload_that_cannot_be_read_is_answered(watched: tuple[Server, Reader], payload: str) -> None:
    server, _ = watched
    with Raw(server) as client:
        for event in events(server):
            number = next(_refs)
            client.socket.send(f"42{number}[{json.dumps(event)},{payload}]")
            answer = client.acknowledged(number)
            assert answer["error"]["code"] == ("bad_payload" if event != "no such event" else "unknown_event")
        client.socket.send(f'42["message",{payload}]')
        assert client.until('42["error"', lambda packet: json.loads(packet[2:])[1]["code"]) == "bad_payload"
        client.socket.send('4277["leave",{"room":"vendor_z"}]')
        assert client.acknowledged(77)["ok"], "it goes on"


def test_the_same_of_a_half_letter_in_messagepack(watched: tuple[Server, Reader]) -> None:
    server, _ = watched
    with Raw(server, msgpack.packb({"type": 0, "nsp": "/"})) as client:
        note = {"room": "vendor_z", "text": "half an emoji: \ud83d"}
        packet = {"type": 2, "nsp": "/", "id": 7, "data": ["message", note]}
        client.socket.send_binary(msgpack.packb(packet, unicode_errors="surrogatepass"))
        while (answer := msgpack.unpackb(client.binary()))["type"] != 3:
            pass
        assert answer["data"][0]["error"]["code"] == "bad_payload"


@pytest.mark.parametrize("more", ["", ",1,2", ",{},{}", ',{"room":"vendor_z"},null', "," + ",".join("0" * 900)])
def test_any_number_of_payloads(watched: tuple[Server, Reader], more: str) -> None:
    server, _ = watched
    for event in events(server):
        with Raw(server) as client:
            number = next(_refs)
            client.socket.send(f"42{number}[{json.dumps(event)}{more}]")
            answer = client.acknowledged(number)
            assert answer["ok"] is False or more == ""


PLACE = '{"_placeholder":true,"num":%s}'
ATTACHED = [
    (f'451-%d["join",{PLACE % 0}]', [b"\x00\xff"], True),
    (f'451-%d["join",{{"room":{PLACE % 0}}}]', [b"vendor_x"], True),
    (f'452-%d["message",[{PLACE % 0},{PLACE % 1}]]', [b"a", b"b"], True),
    (f'451-%d["join",{PLACE % 7}]', [b"a"], False),
    (f'451-%d["join",{PLACE % -9}]', [b"a"], False),
    (f'451-%d["join",{PLACE % chr(34) + "x" + chr(34)}]'.replace('"x"}', '"x"}'), [b"a"], False),
    (f'451-%d["join",{PLACE % "[]"}]', [b"a"], False),
    (f'451-%d["join",{PLACE % "null"}]', [b"a"], False),
    (f'451-%d["join",{PLACE % 0}]', ["not binary"], False),
    (f'45{ATTACHMENTS + 1}-%d["join",{PLACE % 0}]', [b"a"], False),
    (f'45999999999-%d["join",{PLACE % 0}]', [b"a"], False),
    ('450-%d["join",{}]', [], False),
    ('45%d["join",{}]', [], False),
    ("451-%d", [b"a"], False),
    (f"451-%d[{PLACE % 0},{{}}]", [b"join"], False),
    ("461-%d[]", [b"a"], None),
]


@pytest.mark.parametrize(("packet", "parts", "answered"), ATTACHED)
def test_binary_attachments(
    watched: tuple[Server, Reader], packet: str, parts: list[Any], answered: bool | None
) -> None:
    server, _ = watched
    with Raw(server) as client:
        number = next(_refs)
        client.socket.send(packet % number)
        for part in parts:
            client.socket.send_binary(part) if isinstance(part, bytes) else client.socket.send(f"4{part}")
        if answered:
            assert client.acknowledged(number)["error"]["code"] == "bad_payload"
        elif answered is False:
            assert client.ended()


NO_PACKETS: list[str | bytes] = [
    "4",
    "4x",
    "47",
    "49[]",
    "4\u00b2",
    "42",
    "42{}",
    "42[]",
    "42[5]",
    "42[null]",
    '42"join"',
    "42nope",
]
NO_PACKETS += [
    '42["join"',
    "42" + "[" * 60_000,
    '42["join",' + '{"a":' * 9000,
    "42" + "9" * 120 + '["join"]',
    "43",
    "43{}",
    "44",
    "44{}",
]
NO_PACKETS += [
    "40[]",
    '40"x"',
    "45",
    "451-",
    '451-["join"]x',
    b"\x00",
    b"\xff" * 100,
    b"\x80",
    b"\xc1",
    b"\x93\x01\x02\x03",
]
NO_PACKETS += [
    b"\xdd\xff\xff\xff\xff",
    b"\xdf\xff\xff\xff\xff",
    b"\x91" * 60_000,
    b"\x82\xa4type\x02\xa3nsp\xa1/",
    b"\x81\xa4type\xc0",
]
NO_PACKETS += ["x", "", "b", "b!!!", "b" + base64.b64encode(b"\xc1").decode(), "\u0660", "\x00"]
ODD: list[str | bytes] = [
    "0{}",
    "0",
    "1",
    "2",
    "2probe",
    "3",
    "3probe",
    "5",
    "6",
    "7",
    "8",
    "9",
    "40",
    "40{}",
    '40{"token":5}',
    "405",
    '40{"token":"x"}',
]
ODD += [
    "40/admin,",
    '40/admin,{"token":"x"}',
    "41",
    "41/admin,",
    '42/admin,["join",{}]',
    '42/,["join",{}]',
    "43[]",
    "43999[]",
    '430["x"]',
]
ODD += [
    '42-1["join"]',
    '42?["join"]',
    '42["connect"]',
    '42["disconnect","x"]',
    '42["*",1]',
    '420["__disconnect_final"]',
]


@pytest.mark.parametrize("packet", NO_PACKETS, ids=lambda packet: repr(packet[:20]))
def test_what_is_no_packet_ends_the_connection(watched: tuple[Server, Reader], packet: str | bytes) -> None:
    server, _ = watched
    for hello in ("40", None):
        with Raw(server, hello) as client:
            client.socket.send_binary(packet) if isinstance(packet, bytes) else client.socket.send(packet)
            assert client.ended()


@pytest.mark.parametrize("hello", ["40", None, msgpack.packb({"type": 0, "nsp": "/"})])
def test_odd_packets_are_survived(watched: tuple[Server, Reader], hello: str | bytes | None) -> None:
    server, _ = watched
    for packet in ODD:
        with Raw(server, hello) as client:
            client.socket.send(packet)
            client.socket.send(packet)


def _frame(first: int, payload: bytes, length: bytes | None = None, mask: bool = True) -> bytes:
    if length is None:
        size = len(payload)
        length = (
            bytes([size])
            if size < 126
            else b"\x7e" + struct.pack(">H", size)
            if size < 65536
            else b"\x7f" + struct.pack(">Q", size)
        )
    return bytes([first, length[0] | (0x80 if mask else 0)]) + length[1:] + (bytes(4) if mask else b"") + payload


FRAMES = {
    "oversize text": _frame(0x81, b"4" + b"x" * 70_000),
    "oversize binary": _frame(0x82, b"x" * 300_000),
    "a length that never comes": _frame(0x82, b"x", b"\x7f" + struct.pack(">Q", 2**40)),
    "a negative length": _frame(0x82, b"x", b"\x7f" + b"\xff" * 8),
    "a flood of fragments": _frame(0x01, b"4") + _frame(0x00, b"x" * 1000) * 400,
    "a flood of empty fragments": _frame(0x01, b"4") + _frame(0x00, b"") * 50_000 + _frame(0x8F, b""),
    "a fragment of nothing": _frame(0x80, b"x"),
    "a message within a message": _frame(0x01, b"4") + _frame(0x81, b"2"),
    "not masked": _frame(0x81, b"2", mask=False) + _frame(0x8F, b""),
    "a reserved opcode": _frame(0x83, b"x"),
    "a reserved bit": _frame(0xC1, b"2"),
    "a long ping": _frame(0x89, b"x" * 126),
    "a ping in parts": _frame(0x09, b"x"),
    "no UTF-8": _frame(0x81, b"4\xff\xfe"),
    "half a letter": _frame(0x81, '42["é'.encode()[:-1]),
    "a close without reason": _frame(0x88, b""),
    "a close of one byte": _frame(0x88, b"x"),
    "a close with nonsense": _frame(0x88, b"\x00\x00\xff\xff"),
    "HTTP within": b"GET / HTTP/1.1\r\n\r\n" * 50,
}


@pytest.mark.parametrize("name", FRAMES)
def test_broken_frames(watched: tuple[Server, Reader], name: str) -> None:
    server, _ = watched
    with Raw(server) as client:
        line = client.socket.sock
        try:
            line.sendall(FRAMES[name])
            line.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it had enough before we were done
        line.settimeout(30)
        while _more(line):
            pass


def _more(line: socket.socket) -> bool:
    try:
        return bool(line.recv(65536))
    except ConnectionError:
        return False


POLLS = [
    "",
    "?EIO=4",
    "?EIO=3&transport=polling",
    "?EIO=4&transport=nope",
    "?EIO=4&transport=polling&sid=nope",
    "?EIO=x&transport=polling",
]
POLLS += [
    "?EIO=4&transport=websocket",
    "?EIO=4&transport=polling&j=0",
    "?EIO=4&transport=polling&j=x",
    "?EIO=4&transport=polling&sid=%00%ff",
]
BODIES: list[str | bytes] = [
    "4x",
    "\x1e".join("2" * 50),
    "b!!",
    b"\xff",
    "x",
    "",
    "42[" * 9000,
    "4" * 70_000,
    "40\x1e42[5]",
    "1",
    "\x1e",
]


def test_broken_polls(watched: tuple[Server, Reader]) -> None:
    server, _ = watched
    address = f"{server.url}/socket.io/"
    for query, send in itertools.product(POLLS, (requests.get, requests.post, requests.delete, requests.options)):
        answer = send(address + query, timeout=30)
        assert answer.status_code < 500, (query, answer.status_code)
        assert not any(leak in answer.text for leak in LEAKS)
    for body in BODIES:
        opened = requests.get(f"{address}?EIO=4&transport=polling", timeout=30)
        sid = json.loads(opened.text[1:])["sid"]
        answer = requests.post(f"{address}?EIO=4&transport=polling&sid={sid}", data=body, timeout=30)
        assert answer.status_code < 500, (body[:20], answer.status_code)
        assert not any(leak in answer.text for leak in LEAKS)


def test_a_flood_of_events_delays_nobody_else(watched: tuple[Server, Reader]) -> None:
    server, reader = watched
    with Raw(server) as client:
        for number in range(3000):
            client.socket.send(f'42{number}["join",{{"room":"vendor_{number % 900}","since":0}}]')
        receipt = post(server.url, "vendor_x", {"a": {"n": next(_numbers)}})
        reader.reach("vendor_x", receipt["offset"])
        assert client.acknowledged(2699)["error"]["code"] == "too_many_rooms"
    eventually(lambda: requests.get(f"{server.url}/readyz", timeout=30).ok)
