"""The spool and its courier against a real server: in order, once, through absences, crashes and poison."""

import os
import resource
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest

from ingest_api.contract import Batch, Entry, SourceInfo
from scrapers.deliver import spool as spools
from scrapers.deliver.http import Away, Courier, Door, NotLetIn, WrongAddress
from scrapers.deliver.outbox import Outbox
from scrapers.deliver.spool import Request, Spool, waiting
from scrapers.errors import SpoolFull
from tests.conftest import ROOT, free_port
from tests.scrapers.door import Answer, DoorServer, Got, error


def note(number: int, kind: str = "batch") -> Request:
    """A request that can be told apart."""
    path = {"batch": "/api/entries", "run": "/api/runs", "source": "/api/sources/vendor_x"}[kind]
    return Request(kind, "PUT" if kind == "source" else "POST", path, "run-1", b'{"n":%d}' % number)  # type: ignore[arg-type]


def numbers(door: DoorServer) -> list[int]:
    return [got.body["n"] for got in door.got]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, "vendor_x")


def test_in_order_and_gone_at_the_receipt(spool: Spool, door: DoorServer) -> None:
    for number in range(12):
        spool.put(note(number))
    with Door(door.url, "secret") as to:
        courier = Courier(spool, to, "run-1")
        assert courier.send()
    assert numbers(door) == list(range(12))
    assert spool.pending() == []
    assert len(courier.receipts) == courier.sent == 12
    assert {got.headers["Authorization"] for got in door.got} == {"Bearer secret"}
    assert {got.headers["X-Request-ID"] for got in door.got} == {"run-1"}


def test_an_absent_server_loses_nothing_and_a_later_one_gets_all_in_order(tmp_path: Path, spool: Spool) -> None:
    port = free_port()
    with Door(f"http://127.0.0.1:{port}") as to:
        outbox = Outbox(Courier(spool, to, "run-1"))
        outbox.announce(SourceInfo(name="vendor_x"))
        outbox.batch(Batch(source="vendor_x", run_id="run-1", batch_id="run-1-0", entries=[Entry(key="a", data={})]))
        assert isinstance(outbox.courier.failure, Away)
        assert waiting(tmp_path) == ["vendor_x"]
        later = DoorServer(port)
        try:
            assert Courier(Spool(tmp_path, "vendor_x"), to).send()
        finally:
            later.stop()
    assert [got.path for got in later.got] == ["/api/sources/vendor_x", "/api/entries"]
    assert later.batches[0]["entries"] == [{"key": "a", "data": {}}]
    assert waiting(tmp_path) == []


def test_a_server_that_comes_up_while_the_courier_waits(spool: Spool) -> None:
    port, servers = free_port(), []
    spool.put(note(1))

    def wait(seconds: float) -> None:
        if not servers:
            servers.append(DoorServer(port))

    with Door(f"http://127.0.0.1:{port}") as to:
        assert Courier(spool, to).send(patience=30, wait=wait)
    servers[0].stop()
    assert numbers(servers[0]) == [1]


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
def test_poison_is_set_aside_with_its_answer_and_blocks_nobody(spool: Spool, door: DoorServer, status: int) -> None:
    door.answer = lambda got: error(status) if got.body["n"] == 2 else Answer(200)
    for number in (1, 2, 3):
        spool.put(note(number))
    with Door(door.url) as to:
        courier = Courier(spool, to)
        assert courier.send()
    assert numbers(door) == [1, 2, 3]
    [(aside, why)] = courier.refused
    assert Request.unpacked(aside.read_bytes()).body == b'{"n":2}'
    assert str(status) in why
    assert aside.with_name(f"{aside.name}.answer").read_text() == why


def test_a_full_spool_takes_no_more_until_something_is_sent(
    spool: Spool, door: DoorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spools, "MOST", 2 * len(note(1).packed()))
    spool.put(note(1))
    spool.put(note(2))
    with pytest.raises(SpoolFull, match="bytes wait in"):
        spool.put(note(3))
    with Door(door.url) as to:
        assert Courier(spool, to).send()
    spool.put(note(3))
    assert numbers(door) == [1, 2]


def test_of_what_is_set_aside_the_newest_is_kept(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "REJECTED", 6)
    for number in range(5):
        aside = spool.reject(spool.put(note(number)), "no")
    assert len(list(spool.rejected.iterdir())) == 6
    assert aside.exists()
    assert aside.with_name(f"{aside.name}.answer").exists()


def test_a_damaged_file_is_set_aside(spool: Spool, door: DoorServer) -> None:
    spool.put(note(1)).write_bytes(b"\x00\x00")
    spool.put(note(2))
    with Door(door.url) as to:
        courier = Courier(spool, to)
        assert courier.send()
    assert numbers(door) == [2]
    assert len(courier.refused) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_the_server_cannot_take_now_is_tried_again(spool: Spool, door: DoorServer, status: int) -> None:
    door.answer = lambda got: error(status) if len(door.got) < 3 else Answer(200)
    spool.put(note(1))
    spool.put(note(2))
    with Door(door.url) as to:
        assert Courier(spool, to).send(patience=60, wait=lambda seconds: None)
    assert numbers(door) == [1, 1, 1, 2]


@pytest.mark.parametrize("when", ["7", formatdate(time() + 1000, usegmt=True)], ids=["seconds", "date"])
def test_retry_after_is_obeyed_by_every_sender(tmp_path: Path, spool: Spool, door: DoorServer, when: str) -> None:
    door.answer = lambda got: error(429, Retry_After=when)
    spool.put(note(1))
    with Door(door.url) as to:
        assert not Courier(spool, to).send()
        for _ in range(3):
            other = Courier(Spool(tmp_path, "vendor_x"), to)
            assert not other.send()
            assert isinstance(other.failure, Away)
        assert len(door.got) == 1
        waits: list[float] = []
        door.answer = lambda got: Answer(200)
        assert Courier(spool, to).send(patience=2000, wait=waits.append)
    assert sum(waits) > 5


def test_retry_after_binds_nobody_who_sends_elsewhere(tmp_path: Path, spool: Spool, door: DoorServer) -> None:
    door.answer = lambda got: error(503, Retry_After="1000")
    spool.put(note(1))
    with Door(door.url) as to:
        assert not Courier(spool, to).send()
    other = DoorServer()
    try:
        with Door(other.url) as to:
            assert Courier(spool, to).send()
    finally:
        other.stop()
    assert numbers(other) == [1]


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://"])
def test_what_is_no_address_is_not_tried_again(spool: Spool, url: str) -> None:
    spool.put(note(1))
    with Door(url) as to:
        courier = Courier(spool, to)
        assert not courier.send(patience=60, wait=lambda seconds: pytest.fail("waiting does not help"))
    assert isinstance(courier.failure, WrongAddress)


@pytest.mark.parametrize("status", [401, 403])
def test_who_is_not_let_in_keeps_everything_and_is_told_what_to_do(spool: Spool, door: DoorServer, status: int) -> None:
    door.answer = lambda got: error(status)
    spool.put(note(1))
    with Door(door.url) as to:
        courier = Courier(spool, to)
        assert not courier.send(patience=60, wait=lambda seconds: pytest.fail("waiting does not help"))
    assert isinstance(courier.failure, NotLetIn)
    assert "PORTALWIRE_TOKEN" in str(courier.failure)
    assert len(spool.pending()) == 1


@pytest.mark.parametrize(
    "answer",
    [Answer(200, ["a captive portal"]), Answer(404, "a blog"), Answer(301, "x", (("Location", "/elsewhere"),))],
)
def test_another_kind_of_server_gets_nothing_for_good(spool: Spool, door: DoorServer, answer: Answer) -> None:
    door.answer = lambda got: answer
    spool.put(note(1))
    with Door(door.url) as to:
        courier = Courier(spool, to)
        assert not courier.send()
    assert isinstance(courier.failure, WrongAddress)
    assert "PORTALWIRE_INGEST_URL" in str(courier.failure)
    assert len(spool.pending()) == 1


def test_an_address_that_is_none(spool: Spool) -> None:
    spool.put(note(1))
    with Door("localhost:5000") as to:
        courier = Courier(spool, to)
        assert not courier.send()
    assert isinstance(courier.failure, WrongAddress)


CHILD = """
import os, sys
from pathlib import Path
from ingest_api.contract import Batch, Entry
from scrapers.deliver.http import Courier, Door
from scrapers.deliver.outbox import Outbox
from scrapers.deliver.spool import Spool
spool = Spool(Path(sys.argv[1]), "vendor_x")
with Door(sys.argv[2]) as door:
    outbox = Outbox(Courier(spool, door, "run-1"))
    for number in range(3):
        entry = Entry(key=f"k{number}", data={"n": number})
        outbox.batch(Batch(source="vendor_x", run_id="run-1", batch_id=f"run-1-{number}", entries=[entry]))
"""


def crashing(tmp_path: Path, url: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), url], cwd=ROOT)


def test_a_kill_between_spooling_and_the_receipt(tmp_path: Path, door: DoorServer) -> None:
    """The server has taken the batch, its answer never arrived: the next process sends the very same batch."""
    asked, go_on = threading.Event(), threading.Event()

    def hold(got: Got) -> Answer:
        if not asked.is_set():
            asked.set()
            go_on.wait(30)
        return Answer(200)

    door.answer = hold
    child = crashing(tmp_path, door.url)
    assert asked.wait(30)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    go_on.set()
    spool = Spool(tmp_path, "vendor_x")
    assert len(spool.pending()) == 1
    with Door(door.url) as to:
        assert Courier(spool, to).send(patience=10)
    assert [batch["batch_id"] for batch in door.batches] == ["run-1-0", "run-1-0"]
    assert door.batches[0] == door.batches[1]


def test_a_kill_while_writing_leaves_whole_requests_only(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "vendor_x")
    kept = spool.put(note(1))
    (spool.folder / ".123-1.half").write_bytes(b"half a requ")
    assert spool.pending() == [kept]


def test_senders_never_interleave(tmp_path: Path, door: DoorServer) -> None:
    spool = Spool(tmp_path, "vendor_x")
    for number in range(40):
        spool.put(note(number))

    def send(_: int) -> bool:
        with Door(door.url) as to:
            return Courier(Spool(tmp_path, "vendor_x"), to).send(patience=30)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(send, range(4)))
    assert numbers(door) == list(range(40))


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(first: int) -> None:
        for number in range(first, first + 25):
            Spool(tmp_path, "vendor_x").put(note(number, "run" if number % 3 else "batch"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, (0, 100, 200, 300)))
    kept = [Request.unpacked(path.read_bytes()).body for path in Spool(tmp_path, "vendor_x").pending()]
    assert len(set(kept)) == 100


def test_a_long_absence_does_not_pile_up_what_is_outdated(spool: Spool) -> None:
    for number in range(10):
        spool.put(note(number, "source"))
        spool.put(note(number))
    kinds = [path.suffix for path in spool.pending()]
    assert kinds.count(".source") == 2
    assert kinds[0] == ".source"
    assert kinds.count(".batch") == 10


def test_a_disk_that_takes_no_more_is_said_clearly(spool: Spool) -> None:
    spool.put(note(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
    try:
        with pytest.raises(SpoolFull, match=r"cannot be written: File too large; nothing was delivered"):
            spool.put(note(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in spool.folder.iterdir()] == ["000000000001.batch"]


def test_a_source_goes_to_its_door(spool: Spool, door: DoorServer) -> None:
    with Door(door.url) as to:
        Outbox(Courier(spool, to, "run-1")).announce(SourceInfo(name="vendor_x", title="Vendor X"))
    [got] = door.got
    assert (got.method, got.path, got.body["title"]) == ("PUT", "/api/sources/vendor_x", "Vendor X")
