"""Two server processes over Redis: entries, room events, emits from outside, and the clock."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
import socketio

from tests.conftest import ROOT, Server, eventually
from tests.demo_fixture import Demo
from tests.pair import Pair, pair
from tests.reader import Reader
from tests.sending import post
from tests.servers import RedisServer

__all__ = ["pair"]

OUTSIDE = """
import sys
from flask_socketio import SocketIO
SocketIO(message_queue=sys.argv[1]).emit("notice", {"text": "from outside"}, to=sys.argv[2] or None)
"""


@contextmanager
def listening(server: Server, event: str, room: str = "vendor_x") -> Iterator[list[dict[str, Any]]]:
    """What a client of the server hears of an event, each with when it was heard."""
    heard: list[dict[str, Any]] = []
    client = socketio.Client(reconnection=False)
    client.on(event, lambda payload: heard.append({**payload, "heard": time.monotonic()}))
    entered = threading.Event()  # the room's watermark is said to who has entered
    client.on("watermark", lambda watermark: entered.set())
    client.connect(server.url, transports=["websocket"])
    client.call("join", {"room": room})
    assert entered.wait(60)
    yield heard
    client.disconnect()


def follow_all(readers: tuple[Reader, Reader], source: str) -> None:
    for reader in readers:
        reader.join(source, history=True)


def check_all(readers: tuple[Reader, Reader], source: str, head: int) -> None:
    """Everything, once, in order, at both."""
    for reader in readers:
        reader.reach(source, head)
        assert reader.violations == []
        assert [change["offset"] for change in reader.changes[source]] == list(range(1, head + 1))
    one, other = readers
    assert one.data(source) == other.data(source)


def test_entries_of_both_reach_the_clients_of_both(pair: Pair) -> None:
    source = "both"
    with Reader(pair.one.url) as one, Reader(pair.other.url) as other:
        follow_all((one, other), source)

        def write(server: Server) -> None:
            for step in range(40):
                post(server.url, source, {f"{server.port}-{n}": {"step": step} for n in range(5)})

        threads = [threading.Thread(target=write, args=(server,)) for server in pair.both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check_all((one, other), source, 400)


def told(server: Server, source: str) -> list[dict[str, Any]]:
    """What a server logged of stretches that it told."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if '"told"' in line]
    return [line for line in lines if line["event"] == "told" and line["source"] == source]


def runs_told(server: Server, source: str) -> set[str]:
    return {line["run_id"] for line in told(server, source)}


def test_a_runs_id_goes_with_what_is_too_large_for_a_hint(pair: Pair) -> None:
    source = "large"
    with Reader(pair.other.url) as reader:
        reader.join(source)
        data = {f"k{number}": {"text": "x" * 1024} for number in range(300)}
        head = post(pair.one.url, source, data, run_id="run-large")["offset"]
        reader.reach(source, head)
    for server in pair.both:
        eventually(lambda server=server: told(server, source) and told(server, source)[-1]["upto"] == head)
        assert runs_told(server, source) == {"run-large"}


def test_runs_ids_go_with_hints_that_are_lost(pair: Pair, redis_server: RedisServer) -> None:
    source = "lost"
    redis_server.kill()
    with Reader(pair.other.url) as reader:
        reader.join(source)
        for number in range(9):
            head = post(pair.one.url, source, {"k": {"n": number}}, run_id=f"run-{number % 3}")["offset"]
        reader.reach(source, head)
    redis_server.start()
    for server in pair.both:
        assert runs_told(server, source) == {"run-0", "run-1", "run-2"}


def test_a_scrapers_run_is_in_the_log_of_every_process(
    pair: Pair, redis_server: RedisServer, demo: Demo, tmp_path: Path
) -> None:
    """By way of the stream: whichever process takes it from there, both tell it."""
    schedules = tmp_path / "schedules.yaml"
    start = f"{demo.url}/vendor-x/prices"
    schedules.write_text(f"sources: {{vendor_x: {{start: '{start}', every: 1h, deliver: redis, pace: 0}}}}")
    environment = {
        "PORTALWIRE_VAR": str(tmp_path / "var"),
        "PORTALWIRE_SCHEDULES": str(schedules),
        "PORTALWIRE_INGEST_URL": pair.one.url,
        "PORTALWIRE_REDIS_URL": redis_server.url,
    }
    command = [sys.executable, "-m", "scrapers.run", "vendor_x"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=True, timeout=60)

    def ran() -> list[dict[str, Any]]:
        answer = requests.get(f"{pair.one.url}/api/runs?source=vendor_x", timeout=30)
        runs: list[dict[str, Any]] = answer.json()["runs"]
        return [run for run in runs if run["new"] == len(demo.truth("vendor_x"))]

    (run,) = eventually(ran)
    for server in pair.both:
        eventually(lambda server=server: run["id"] in runs_told(server, "vendor_x"), what=run["id"])
        assert runs_told(server, "vendor_x") == {run["id"]}


def test_a_redis_that_is_gone_and_then_empty(pair: Pair, redis_server: RedisServer) -> None:
    source = "gone"
    with Reader(pair.one.url) as one, Reader(pair.other.url) as other:
        follow_all((one, other), source)
        head = 0

        def deliver(steps: range) -> int:
            receipt: dict[str, Any] = {}
            for step in steps:
                receipt = post(pair.both[step % 2].url, source, {f"k{step % 7}": {"step": step}})
            return int(receipt["offset"])

        head = deliver(range(20))
        redis_server.kill()
        head = deliver(range(20, 60))
        check_all((one, other), source, head)
        redis_server.start()
        redis_server.flush()
        head = deliver(range(60, 100))
        check_all((one, other), source, head)
        redis_server.flush()
        head = deliver(range(100, 120))
        check_all((one, other), source, head)


def test_another_program_emits_to_the_clients_of_both(pair: Pair, redis_server: RedisServer) -> None:
    def hears(server: Server) -> bool:
        return "portalwire_redis_connected 1.0" in requests.get(f"{server.url}/metrics", timeout=30).text

    def emit(room: str) -> None:
        subprocess.run([sys.executable, "-c", OUTSIDE, redis_server.url, room], cwd=ROOT, check=True, timeout=60)

    eventually(lambda: all(hears(server) for server in pair.both), what="Pub/Sub keeps nothing for who does not listen")
    with (
        listening(pair.one, "notice", "vendor_x") as at_one,
        listening(pair.other, "notice", "vendor_x") as at_other,
        listening(pair.other, "notice", "vendor_y") as elsewhere,
    ):
        emit("vendor_x")
        eventually(lambda: len(at_one) == len(at_other) == 1)
        emit("")
        eventually(lambda: len(at_one) == len(at_other) == 2)
        eventually(lambda: len(elsewhere) == 1, what="who is not in the room hears what is for all, and no more")


def leases_taken(server: Server) -> list[datetime]:
    """When it took the clock's lease."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if '"lease taken"' in line]
    return [datetime.fromisoformat(line["timestamp"]) for line in lines]


def test_the_clock_ticks_once_a_second_for_all_and_survives_its_holder(pair: Pair) -> None:
    holder, heir = pair.holder()
    with listening(holder, "time") as at_holder, listening(heir, "time") as at_heir:
        eventually(lambda: len(at_heir) >= 8 and len(at_holder) >= 8)
        for heard in (at_holder, at_heir):
            seconds = heard[-1]["heard"] - heard[0]["heard"]
            assert len(heard) - 1 <= seconds + 1.5, "faster than a second"
            assert len(heard) - 1 >= seconds / 2, "slower than a machine under load explains"
        assert {tick["time"] for tick in at_holder} & {tick["time"] for tick in at_heir}
        killed, killed_at = time.monotonic(), datetime.now(UTC)
        holder.kill()
        eventually(lambda: len(at_heir) and at_heir[-1]["heard"] > killed + 1)
        (took,) = [moment for moment in leases_taken(heir) if moment > killed_at]
        assert took - killed_at <= timedelta(seconds=3)
        moved = next(tick["heard"] for tick in at_heir if tick["heard"] > killed + 1)
        assert moved - killed <= 4.5, "its first tick is up to 1 s later"
        eventually(lambda: sum(tick["heard"] > moved for tick in at_heir) >= 2)
        told = [tick["time"] for tick in at_heir]
        assert told == sorted(set(told)), "never two at once"
    holder.start()


def test_the_clock_ticks_for_all_while_redis_is_away(pair: Pair, redis_server: RedisServer) -> None:
    redis_server.kill()
    with listening(pair.one, "time") as at_one, listening(pair.other, "time") as at_other:
        eventually(lambda: len(at_one) >= 3 and len(at_other) >= 3)
        for heard in (at_one, at_other):
            told = [tick["time"] for tick in heard]
            assert told == sorted(set(told))
    redis_server.start()


def test_a_paused_holder_says_nothing_late(pair: Pair) -> None:
    """SIGSTOP: when it goes on it is not the holder any more, and knows it."""
    holder, heir = pair.holder()
    with listening(holder, "time") as at_holder, listening(heir, "time") as at_heir:
        eventually(lambda: len(at_holder) >= 2 and len(at_heir) >= 2)
        holder.pause()
        paused = time.monotonic()
        eventually(lambda: len(at_heir) and at_heir[-1]["heard"] > paused + 4)
        holder.go_on()
        going_on = time.monotonic()
        eventually(lambda: sum(tick["heard"] > going_on + 1 for tick in at_heir) >= 3)
        for heard in (at_holder, at_heir):
            told = [tick["time"] for tick in heard]
            assert told == sorted(set(told)), "never two at once, none late"
        assert pair.holder() == (heir, holder)
