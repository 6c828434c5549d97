"""Promise 12: what is no frame, no packet, no poll or no request is refused or cut off, on every configuration; also
where it reaches another process than the one whose client sends it, which hands the connection over."""

import itertools
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import closing

import requests

from tests.conftest import Server
from tests.faults.installations import Installation
from tests.faults.numbers import tree
from tests.faults.table import Row, record
from tests.reader import Reader
from tests.realtime.test_abuse import BODIES, FRAMES, LEAKS, NO_PACKETS, ODD, POLLS, Raw
from tests.sending import post

SCENARIO = "malformed frames, packets, polls and requests"
ROOM = "malformed"
ENDS = 30.0  # seconds in which a connection must be answered or ended
ROUNDS = 6  # of each broken request, so that it reaches every process
PATH = "/socket.io/?EIO=4&transport=polling"

REQUESTS = {
    "half a request": "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Le",
    "half a body": "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n40",
    "no length": "POST {path} HTTP/1.1\r\nHost: {host}\r\n\r\n40",
    "a negative length": "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n40",
    "a length of letters": "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: many\r\n\r\n40",
    "a large length": "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999999999999\r\n\r\n40",
    "bad chunks": "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n40\r\n0\r\n\r\n",
    "chunks without an end": "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n40",
    "both lengths": "POST {path} HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
    "2\r\n40\r\n0\r\n\r\n",
    "one request in the other": "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\n\r\n40GET " + "x" * 9000,
    "an upgrade to nothing": "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "another method": "BREW {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n",
    "no HTTP": "\x00\x01\x02 {path}\r\n\r\n",
    "a long header": "GET {path} HTTP/1.1\r\nHost: {host}\r\nX: " + "x" * 100_000 + "\r\n\r\n",
}


def _frames(server: Server) -> Iterator[tuple[str, str]]:
    for name, frame in FRAMES.items():
        with Raw(server) as client:
            yield name, _answer(client.socket.sock, frame)[1]


def _packets(server: Server) -> Iterator[tuple[str, str]]:
    for packet, hello in itertools.product(NO_PACKETS, ("40", None)):
        with Raw(server, hello) as client:
            client.socket.send_binary(packet) if isinstance(packet, bytes) else client.socket.send(packet)
            yield repr(packet[:20]), "" if client.ended() else "its connection goes on"
    for packet in ODD:
        with Raw(server) as client:
            client.socket.send(packet)
            yield repr(packet), ""


def _polls(server: Server) -> Iterator[tuple[str, str]]:
    methods = (requests.get, requests.post, requests.delete, requests.options)
    for query, send in itertools.product(POLLS, methods):
        yield query, _bad(send(f"{server.url}/socket.io/{query}", timeout=ENDS))
    for body in BODIES:
        for _ in range(ROUNDS):
            yield repr(body[:20]), _bad(requests.post(f"{server.url}{_session(server)}", data=body, timeout=ENDS))


def _requests(server: Server) -> Iterator[tuple[str, str]]:
    for name, template in REQUESTS.items():
        for _ in range(ROUNDS):
            request = template.format(path=_session(server), host=f"127.0.0.1:{server.port}")
            with closing(server.connect()) as line:
                answer, wrong = _answer(line, request.encode())
            head = answer.split(b"\r\n", 1)[0]
            yield name, wrong or (head.decode() if head.startswith(b"HTTP/1.1 5") else "")


def _session(server: Server) -> str:
    """Where a new client polls. Its next request may come to another process."""
    opened = requests.get(f"{server.url}{PATH}", timeout=ENDS)
    return f"{PATH}&sid={json.loads(opened.text[1:])['sid']}"


def _answer(line: socket.socket, sent: bytes) -> tuple[bytes, str]:
    """What is answered to it until the connection ends, and what is wrong with that."""
    line.settimeout(ENDS)
    answer = b""
    try:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        while more := line.recv(65536):
            answer += more
    except TimeoutError:
        return answer, "neither refused nor ended"
    except OSError:
        pass  # it had enough before we were done
    return answer, "it tells what is within" if any(leak.encode() in answer for leak in LEAKS) else ""


def _bad(answer: requests.Response) -> str:
    if answer.status_code >= 500:
        return str(answer.status_code)
    return "it tells what is within" if any(leak in answer.text for leak in LEAKS) else ""


KINDS: dict[str, Callable[[Server], Iterator[tuple[str, str]]]] = {
    "frames": _frames,
    "packets": _packets,
    "polls": _polls,
    "requests": _requests,
}


def test_what_is_malformed_harms_nobody(installation: Installation) -> None:
    server = installation.server
    faults: list[str] = []
    counted = 0
    with Reader(server.url) as reader:
        reader.join(ROOM)
        alive = tree(server.pid)
        for number, (kind, send) in enumerate(KINDS.items()):
            for name, wrong in send(server):
                counted += 1
                faults += [f"{kind}, {name}: {wrong}"] * bool(wrong)
            reader.reach(ROOM, post(server.url, ROOM, {"a": {"n": number}})["offset"])
        faults += [f"beside it: {violation}" for violation in reader.violations]
    faults += [f"process {pid} ended" for pid in alive if pid not in tree(server.pid)]
    log = server.log.read_text()
    if "Traceback" in log:
        faults.append(log[log.find("Traceback") - 500 :][:2000])
    record(Row(SCENARIO, installation.name, 12, len(faults), counted, "of them"), faults)
