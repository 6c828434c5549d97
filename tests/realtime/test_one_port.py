"""`--processes 2` over PostgreSQL and Redis: whichever process accepts a connection, its own serves it."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any, get_args

import pytest
import requests
import websocket
from prometheus_client.parser import text_string_to_metric_families

from realtime.store.standing import State
from tests.conftest import Server, eventually
from tests.encrypted import Encrypted
from tests.people import Person, meet
from tests.processes import serving
from tests.redis_door import environment
from tests.sending import post
from tests.servers import RedisServer
from tests.several import many
from tests.tokens import OPERATOR, bearer

__all__ = ["many"]

POLLS = 24


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Encrypted]:
    redis_server.start()
    several = {**environment(redis_server.url), "PORTALWIRE_PROCESSES": "2"}
    server = Encrypted(tmp_path_factory.mktemp("encrypted"), several)
    server.start()
    eventually(lambda: len(serving(server)) == 2)
    yield server
    server.stop()
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("transports", [None, ["polling"], ["websocket"]])
def test_the_tutorials_client_works_unchanged(many: Server, transports: list[str] | None) -> None:
    for round in range(6):
        room = f"chat_{round}_{transports[0] if transports else 'any'}"
        post(many.url, room, {"a": {"price": "3.50"}, "b": {"price": "12"}})
        with ExitStack() as stack:
            alice, bob = (stack.enter_context(closing(Person(many.url, transports=transports))) for _ in range(2))
            meet(room, alice, bob)
            wanted = "polling" if transports == ["polling"] else "websocket"
            assert alice.client.transport() == bob.client.transport() == wanted


def test_polls_where_connections_are_encrypted(encrypted: Encrypted) -> None:
    for round in range(6):
        with ExitStack() as stack:
            how: dict[str, Any] = {"authority": str(encrypted.trusted), "headers": bearer(OPERATOR)}
            alice, bob = (
                stack.enter_context(closing(Person(encrypted.url, transports=["polling"], **how))) for _ in range(2)
            )
            alice.ask("join", {"room": f"room_{round}", "username": "alice"})
            bob.ask("join", {"room": f"room_{round}", "username": "bob"})
            assert bob.ask("message", {"room": f"room_{round}", "text": "x" * 20_000})["error"]["code"] == "long_note"
            bob.ask("message", {"room": f"room_{round}", "text": "hello"})
            assert alice.next("message")["text"] == "hello"


def test_a_poll_becomes_a_websocket_where_connections_are_encrypted(encrypted: Encrypted) -> None:
    """By one thread: Python's client has two, and before Python 3.13 they break an encrypted connection at times."""
    trusted = str(encrypted.trusted)
    for round in range(12):
        address = f"{encrypted.url}/socket.io/?EIO=4&transport=polling"
        opened = requests.get(address, headers=bearer(OPERATOR), verify=trusted, timeout=30)
        sid = json.loads(opened.text[1:])["sid"]
        upgrade = f"wss://127.0.0.1:{encrypted.port}/socket.io/?EIO=4&transport=websocket&sid={sid}"
        line = websocket.create_connection(
            upgrade, sslopt={"ca_certs": trusted}, header=bearer(OPERATOR), timeout=30, origin=encrypted.url
        )
        line.send("2probe")
        assert line.recv() == "3probe"
        for packet in ("5", "40", f'421["join",{{"room":"upgraded_{round}","username":"alice"}}]'):
            line.send(packet)
        for number in range(2, 40):
            text = "x" * (number * 500)
            line.send(f'42{number}["message",{json.dumps({"room": f"upgraded_{round}", "text": text})}]')
        while not str(line.recv()).startswith("4339["):
            pass
        line.close()


def opened(server: Server) -> str:
    """The address of a fresh session."""
    address = f"{server.url}/socket.io/?EIO=4&transport=polling"
    sid = json.loads(requests.get(address, timeout=30).text[1:])["sid"]
    return f"{address}&sid={sid}"


def test_each_poll_may_be_a_connection_of_its_own(many: Server) -> None:
    session = opened(many)
    assert requests.post(session, data="40", timeout=30).text == "OK"
    requests.get(session, timeout=30)
    for number in range(POLLS):
        said = f'42{number}["leave",{json.dumps({"room": "x" * 9000 if number % 2 else "x"})}]'
        assert requests.post(session, data=said, timeout=30).text == "OK"
        answer = ""
        while f"43{number}[" not in answer:
            answer = requests.get(session, timeout=30).text
    with requests.Session() as kept:  # and one connection may be for now this process, now that
        for each in [session, *(opened(many) for _ in range(6))] * 3:
            assert kept.post(each, data="3", timeout=30).text == "OK"
            assert kept.get(f"{many.url}/healthz", timeout=30).ok


def test_a_session_of_a_process_that_died_is_over(many: Server) -> None:
    sessions = {
        int(each.rpartition("sid=")[2].partition(".")[0]): each for each in (opened(many) for _ in range(POLLS))
    }
    assert sessions.keys() == {0, 1}
    before = serving(many)
    os.kill(min(before), signal.SIGKILL)
    eventually(lambda: len(serving(many) - {min(before)}) == 2, what="another in its place")
    answers = Counter(requests.post(session, data="3", timeout=30).status_code for session in sessions.values())
    assert answers == {200: 1, 400: 1}


@pytest.mark.parametrize("sid", ["2.x", "999.x", "1.", "1.x", "0.x", ".", "01.x", "-1.x", "1.x" + "y" * 7000])
def test_a_session_of_nobody_is_answered(many: Server, sid: str) -> None:
    for _ in range(4):
        assert requests.get(f"{many.url}/socket.io/?EIO=4&transport=polling&sid={sid}", timeout=30).status_code == 400


def numbers(server: Server) -> dict[str, dict[tuple[str, ...], float]]:
    """Name of a sample -> its labels' values, the process first -> its value, of a page that has nothing twice."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    families = list(text_string_to_metric_families(requests.get(f"{server.url}/metrics", timeout=30).text))
    assert len({family.name for family in families}) == len(families)
    for sample in (sample for family in families for sample in family.samples):
        labels = (sample.labels.pop("process", ""), *sample.labels.values())
        assert labels not in found.setdefault(sample.name, {})
        found[sample.name][labels] = sample.value
    return found


def test_whoever_is_asked_tells_the_numbers_of_all(many: Server) -> None:
    before = sum(numbers(many).get("portalwire_batches_total", {}).values())
    for number in range(POLLS):
        post(many.url, "counted", {f"k{number}": {"n": number}})
    for _ in range(6):  # now this process is asked, now that
        found = numbers(many)
        stored = found["portalwire_batches_total"]
        assert sum(stored.values()) == before + POLLS
        assert {labels[0] for labels in stored} == {"0", "1"}
        assert {labels[0] for labels in found["process_cpu_seconds_total"]} == {"0", "1"}
        assert sum(found["portalwire_commit_seconds_count"].values()) >= POLLS
        assert found["portalwire_sources"].keys() == {("", state) for state in get_args(State)}
        assert found["portalwire_process_up"] == {("0",): 1, ("1",): 1}


def test_a_process_that_stands_still_is_told(many: Server) -> None:
    still = min(serving(many))
    os.kill(still, signal.SIGSTOP)
    try:
        up = numbers(many)["portalwire_process_up"]
        assert sorted(up.values()) == [0, 1]
    finally:
        os.kill(still, signal.SIGCONT)
    eventually(lambda: set(numbers(many)["portalwire_process_up"].values()) == {1})
