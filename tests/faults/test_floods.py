"""Promise 12: floods and bombs are answered or cut off, cost little memory, and the others' stream goes on."""

import gzip
import json
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import requests
import websocket

from scrapers.config import load
from scrapers.errors import ConfigError
from tests.conftest import Server
from tests.faults.configurations import PROCESSES, SQLITE
from tests.faults.effort import times
from tests.faults.installations import Installation
from tests.faults.numbers import memory
from tests.faults.table import Row, record
from tests.reader import Reader
from tests.sending import post

AT_ONCE = 16
FRAMES = times(short=4_000, long=20_000)
ROOM = "flooded"
HANGS = "neither taken nor ended within a minute"
GROWTH = 150 * 1024 * 1024  # bytes that a process may take for all of it: a body of 32 MiB is inflated at a time
ZEROS = gzip.compress(b" " * (512 * 1024 * 1024), 9)
BOMBS = {
    "512 MB of nothing": ZEROS,
    "a bomb within a bomb": gzip.compress(ZEROS, 9),
    "half a bomb": ZEROS[: len(ZEROS) // 2],
    "no gzip": b"\x1f\x8b" + b"x" * 1000,
}


def _bombs(server: Server) -> list[str]:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    return [
        str(requests.post(f"{server.url}/api/entries", data=bomb, headers=headers, timeout=60).status_code)
        for bomb in BOMBS.values()
    ]


def _polls(server: Server) -> list[str]:
    """Sessions that are opened and left, polls and posts of packets."""
    address, answers = f"{server.url}/socket.io/?EIO=4&transport=polling", list[int]()
    with requests.Session() as session:
        for _ in range(40):
            opened = session.get(address, timeout=60)
            answers.append(opened.status_code)
            sid = json.loads(opened.text[1:])["sid"]
            answers += [session.post(f"{address}&sid={sid}", data=body, timeout=60).status_code for body in ("40", "3")]
            answers.append(session.get(f"{address}&sid={sid}", timeout=60).status_code)
    return list(map(str, answers))


def _frames(frame: bytes) -> Callable[[Server], list[str]]:
    def send(server: Server) -> list[str]:
        """Whether they were all taken, and the connection is ended when its client ends it."""
        address = f"ws://127.0.0.1:{server.port}/socket.io/?transport=websocket&EIO=4"
        client = websocket.create_connection(address, timeout=60)
        client.recv()
        client.send("40")
        try:
            client.sock.sendall(frame * (FRAMES if len(frame) < 1000 else 200))
            client.sock.shutdown(socket.SHUT_WR)
            while client.sock.recv(65536):
                pass
        except TimeoutError:
            return [HANGS]
        except OSError:
            return ["cut off"]
        finally:
            client.shutdown()
        return ["ended"]

    return send


def _frame(first: int, payload: bytes) -> bytes:
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack(">H", len(payload))
    return bytes([first]) + size + bytes(4) + payload


FLOODS: dict[str, Callable[[Server], list[str]]] = {
    "decompression bombs": _bombs,
    "polls": _polls,
    "pongs": _frames(_frame(0x81, b"3")),
    "pings": _frames(_frame(0x89, b"x" * 100)),
    "fragments without an end": _frames(_frame(0x01, b"4" + b"x" * 60_000)),
    "events": _frames(_frame(0x81, b'42["join",{"room":"nobody"}]')),
}


def test_floods(installation: Installation) -> None:
    server = installation.server
    faults: list[str] = []
    counted = 0
    with Reader(server.url) as reader, ThreadPoolExecutor(AT_ONCE) as pool:
        reader.join(ROOM)
        before = memory(server)
        for number, (name, flood) in enumerate(FLOODS.items()):
            under_way = [pool.submit(flood, server) for _ in range(AT_ONCE)]
            reader.reach(ROOM, post(server.url, ROOM, {"a": {"n": number}})["offset"])
            answers = [answer for each in under_way for answer in each.result()]
            counted += len(answers)
            faults += [f"{name}: {answer}" for answer in answers if answer == HANGS or answer.startswith("5")]
            reader.reach(ROOM, post(server.url, ROOM, {"a": {"n": -number - 1}})["offset"])
            grown = memory(server) - before
            if grown > GROWTH * (3 if installation.name == PROCESSES else 1):
                faults.append(f"{name}: {grown >> 20} MB")
        assert reader.violations == []
    log = server.log.read_text()
    assert "Traceback" not in log, log[max(0, log.find("Traceback") - 500) :][:2000]
    record(Row("floods and bombs", installation.name, 12, len(faults), counted, "floods"), faults)


def test_bombs_of_yaml(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    bombs = ["\n".join([*lines, "sources: *a9"]), "sources: " + "[" * 50_000, "sources: &a {b: *a}", "x" * 200_000]
    taken = []
    for number, bomb in enumerate(bombs):
        file = tmp_path / f"{number}.yaml"
        file.write_text(bomb)
        with suppress(ConfigError):
            load(file)
            taken.append(bomb[:40])
    record(Row("bombs of YAML", SQLITE, 12, len(taken), len(bombs), "files"), taken)
