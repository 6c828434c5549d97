"""`python -m realtime.serve --processes 2`: one port, children that are replaced, none left behind."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from realtime.processes import Processes
from tests.conftest import Server, eventually
from tests.processes import children, gone, serving
from tests.reader import Reader
from tests.redis_door import environment
from tests.sending import post
from tests.servers import PostgresServer, RedisServer

CLIENTS = 24


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer) -> Iterator[Server]:
    redis_server.start()
    redis_server.flush()
    folder = tmp_path_factory.mktemp("many")
    server = Server(folder, {**environment(redis_server.url), "PORTALWIRE_PROCESSES": "2"})
    server.start()
    yield server
    server.stop()


def sockets(pid: int) -> int:
    links = (str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir() if link.is_symlink())
    return sum(link.startswith("socket:") for link in links)


def test_clients_of_one_port_are_shared_out_and_all_hear_everything(many: Server) -> None:
    eventually(lambda: len(serving(many)) == 2)
    before = {pid: sockets(pid) for pid in serving(many)}
    with ExitStack() as stack:
        readers = [stack.enter_context(Reader(many.url)) for _ in range(CLIENTS)]
        for reader in readers:
            reader.join("shared", history=True)
        assert all(sockets(pid) - count >= CLIENTS / 8 for pid, count in before.items()), "both have clients"
        for step in range(20):
            head = post(many.url, "shared", {"k": {"step": step}})["offset"]
        for reader in readers:
            reader.reach("shared", head)
            assert reader.violations == []
            assert [change["offset"] for change in reader.changes["shared"]] == list(range(1, head + 1))


def test_a_child_that_dies_is_replaced_and_readers_go_on(many: Server) -> None:
    eventually(lambda: len(serving(many)) == 2)
    victim, survivor = sorted(serving(many))
    head = post(many.url, "replaced", {"a": {"n": 1}})["offset"]
    os.kill(victim, signal.SIGKILL)
    with Reader(many.url) as reader:
        reader.join("replaced", history=True)
        reader.reach("replaced", head)
    eventually(lambda: len(serving(many) - {victim}) == 2, what="another child in its place")
    assert survivor in children(many.pid)


def test_a_child_that_dies_while_the_database_is_away_is_replaced_when_it_is_back(
    tmp_path: Path, redis_url: str, postgres: PostgresServer, postgres_url: str
) -> None:
    shared = {**environment(redis_url), "PORTALWIRE_DATABASE_URL": postgres_url, "PORTALWIRE_PROCESSES": "2"}
    server = Server(tmp_path, shared)
    server.start()
    try:
        eventually(lambda: len(serving(server)) == 2)
        postgres.kill()
        victim = min(serving(server))
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: "cannot be opened" in server.log.read_text(), what="its successor found no database")
        postgres.start()
        eventually(lambda: len(serving(server) - {victim}) == 2, what="another child in its place")
    finally:
        server.stop()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(tmp_path: Path, redis_url: str, ending: int) -> None:
    server = Server(tmp_path, {**environment(redis_url), "PORTALWIRE_PROCESSES": "2"})
    server.start()
    mine = children(server.pid)
    assert len(mine) == 2
    os.kill(server.pid, ending)
    server.stop()
    eventually(lambda: all(gone(pid) for pid in mine), what="the children are gone")


def test_wrong_settings_end_it_with_a_sentence(tmp_path: Path) -> None:
    server = Server(tmp_path, {"PORTALWIRE_PROCESSES": "2"})
    began = time.monotonic()
    with pytest.raises(pytest.fail.Exception, match="PORTALWIRE_REDIS_URL"):
        server.start()
    assert time.monotonic() - began < 60


def test_a_child_that_is_started_while_all_are_told_to_end_is_told_too() -> None:
    def command(_number: int) -> list[str]:
        together.stop()
        return ["sleep", "60"]

    together = Processes(command, os.environ, count=1, descriptors=[])
    began = time.monotonic()
    together.run()
    assert time.monotonic() - began < 30
