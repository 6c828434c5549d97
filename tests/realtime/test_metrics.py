"""What Prometheus reads of a real server."""

import json
import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import MappingProxyType

import pytest
import redis
import requests

from ingest_api.redis_stream import GROUP, STREAM
from realtime.labels import Names
from tests.conftest import Server, eventually
from tests.reader import Reader
from tests.redis_door import environment
from tests.sending import post
from tests.servers import PostgresServer, RedisServer


def read(url: str, headers: Mapping[str, str] = MappingProxyType({})) -> dict[str, float]:
    """`name{labels}` -> value."""
    answer = requests.get(f"{url}/metrics", headers=headers, timeout=30)
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = (line for line in answer.text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_what_happened_is_counted(server: Server) -> None:
    with Reader(server.url) as reader:
        reader.join("vendor_x")
        post(server.url, "vendor_x", {"a": {"n": 1}, "b": {"n": 1}}, complete=True)
        receipt = post(server.url, "vendor_x", {"a": {"n": 2}, "b": {"n": 1}}, complete=True)
        reader.reach("vendor_x", receipt["offset"])
        numbers = read(server.url)
        assert numbers['portalwire_batches_total{source="vendor_x"}'] == 2
        assert numbers['portalwire_entries_total{kind="new",source="vendor_x"}'] == 2
        assert numbers['portalwire_entries_total{kind="changed",source="vendor_x"}'] == 1
        assert numbers["portalwire_commit_seconds_count"] >= 2
        assert numbers["portalwire_connections"] == 1
        assert numbers["portalwire_catch_ups_total"] == 1
        assert numbers['portalwire_feed_lag_offsets{source="vendor_x"}'] == 0
        assert numbers['portalwire_sources{state="fresh"}'] == 1
        assert numbers["process_cpu_seconds_total"] > 0
    eventually(lambda: read(server.url)["portalwire_connections"] == 0)


def test_runs_are_counted_and_seen_under_way(server: Server) -> None:
    info = {"name": "vendor_y", "fetch": "browser"}
    requests.put(f"{server.url}/api/sources/vendor_y", json=info, timeout=30)
    started = requests.get(f"{server.url}/readyz", timeout=30).headers["Date"]
    run = {"run_id": "r1", "source": "vendor_y", "state": "running", "started_at": _iso(started)}
    requests.post(f"{server.url}/api/runs", json=run, timeout=30)
    assert read(server.url)['portalwire_runs_under_way{fetch="browser"}'] == 1
    ended = {**run, "state": "failed", "finished_at": _iso(started)}
    requests.post(f"{server.url}/api/runs", json=ended, timeout=30)
    numbers = read(server.url)
    assert numbers['portalwire_runs_under_way{fetch="browser"}'] == 0
    assert numbers['portalwire_runs_total{source="vendor_y",state="failed"}'] == 1


def test_every_name_is_ours_or_of_the_process(server: Server) -> None:
    for name in read(server.url):
        assert re.match(r"portalwire_|process_|python_info", name), name


def _iso(date: str) -> str:
    return parsedate_to_datetime(date).isoformat()


def logged(server: Server, run_id: str) -> set[str]:
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return {line["event"] for line in lines if line.get("run_id") == run_id}


def test_one_id_goes_from_the_request_to_what_is_told(server: Server) -> None:
    post(server.url, "vendor_x", {"a": {"n": 1}}, run_id="run-77")
    eventually(lambda: logged(server, "run-77") == {"batch stored", "told", "request"}, what="all three are logged")


def test_a_quiet_source_is_logged_when_something_is_wrong(server: Server) -> None:
    info = {"name": "ticks", "quiet": True, "aggregate": {"field": "n", "windows": ["1m"]}}
    requests.put(f"{server.url}/api/sources/ticks", json=info, timeout=30)
    with Reader(server.url) as reader:
        reader.join("ticks")  # who joins is told what is true now: from then on the process knows it
    post(server.url, "ticks", {"a": {"n": 1}}, run_id="run-1")
    with pytest.raises(requests.HTTPError):
        post(server.url, "ticks", {"b": {"n": 1}}, run_id="run-2", as_of="yesterday")
    post(server.url, "vendor_x", {"a": {"n": 1}}, run_id="run-3")
    eventually(lambda: logged(server, "run-3") == {"batch stored", "told", "request"}, what="all three are logged")
    assert logged(server, "run-1") == set()
    assert '"status": 400' in server.log.read_text()


def test_what_others_choose_makes_no_series_without_end(server: Server) -> None:
    for number in range(50):
        requests.request(f"METHOD{number}", f"{server.url}/api/sources", timeout=30)
        requests.put(
            f"{server.url}/api/sources/s{number}", json={"name": f"s{number}", "fetch": f"f{number}"}, timeout=30
        )
        started = requests.get(f"{server.url}/readyz", timeout=30).headers["Date"]
        run = {"run_id": "r1", "source": f"s{number}", "state": "running", "started_at": _iso(started)}
        requests.post(f"{server.url}/api/runs", json=run, timeout=30)
    numbers = read(server.url)
    methods = {re.findall(r'method="(\w+)"', name)[0] for name in numbers if "http_requests_total" in name}
    assert methods == {"GET", "PUT", "POST", "other"}
    assert [name for name in numbers if "runs_under_way" in name] == [
        f'portalwire_runs_under_way{{fetch="{fetch}"}}' for fetch in ("browser", "http", "other")
    ]
    assert numbers['portalwire_runs_under_way{fetch="other"}'] == 50


def test_sources_beyond_a_bound_share_a_series() -> None:
    names = Names(2)
    assert [names.of(name) for name in "abcab"] == ["a", "b", "other", "a", "b"]


def test_what_needs_no_store_is_told_while_it_is_away(
    tmp_path: Path, postgres: PostgresServer, postgres_url: str
) -> None:
    server = Server(tmp_path, {"PORTALWIRE_DATABASE_URL": postgres_url})
    server.start()
    try:
        assert 'portalwire_sources{state="fresh"}' in read(server.url)
        postgres.stop()
        numbers = read(server.url)
        assert numbers["portalwire_connections"] == 0
        assert 'portalwire_sources{state="fresh"}' not in numbers
    finally:
        postgres.start()
        server.stop()


def test_the_redis_door_is_measured(tmp_path: Path, redis_server: RedisServer, redis_url: str) -> None:
    server = Server(tmp_path, {**environment(redis_url), "PORTALWIRE_REDIS_CLAIM_AFTER": "600"})
    server.start()
    try:
        eventually(lambda: read(server.url).get("portalwire_stream_length") == 0, what="the door is open")
        server.pause()
        with redis.Redis.from_url(redis_url) as client:
            for _ in range(3):
                client.xadd(STREAM, {"batch": "nothing of ours"})
            client.xreadgroup(GROUP, "elsewhere", {STREAM: ">"}, count=2)  # who took two, and died
        server.go_on()
        eventually(lambda: read(server.url)["portalwire_stream_pending"] == 2, what="the third is a dead letter")
        assert read(server.url)["portalwire_stream_length"] >= 2
        redis_server.kill()
        assert "portalwire_stream_length" not in read(server.url)
    finally:
        redis_server.start()
        server.stop()
