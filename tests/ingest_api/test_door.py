"""The POST door of a real server."""

import gzip
import json
from typing import Any
from urllib.parse import quote

import pytest
import requests

from ingest_api.contract import wire
from tests.conftest import Server
from tests.sending import post

BATCH: dict[str, Any] = {"source": "v", "run_id": "r", "batch_id": "b", "entries": [{"key": "a", "data": {"n": 1}}]}


@pytest.fixture(scope="module")
def door(module_server: Server) -> str:
    return module_server.url


def send(door: str, body: bytes, path: str = "/api/entries", **headers: str) -> requests.Response:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(door + path, data=body, headers={"Content-Type": "application/json", **fields}, timeout=30)


def got(door: str, path: str) -> Any:
    return requests.get(door + path, timeout=30).json()


def test_json_msgpack_and_gzip_get_the_same_receipt(door: str) -> None:
    for number, (media, squeeze) in enumerate([(wire.JSON, False), (wire.MSGPACK, False), (wire.JSON, True)]):
        batch = {**BATCH, "source": f"form{number}"}
        body = wire.encode(batch, media)
        headers = {"Content_Type": media, **({"Content_Encoding": "gzip"} if squeeze else {})}
        receipt = send(door, gzip.compress(body) if squeeze else body, **headers).json()
        assert (receipt["new"], receipt["offset"], receipt["rejected"], receipt["held"]) == (1, 1, [], None)


def test_a_resend_is_answered_with_the_stored_receipt_and_another_content_with_409(door: str) -> None:
    body = json.dumps({**BATCH, "source": "again"}).encode()
    assert send(door, body).json() == send(door, body).json()
    other = send(door, json.dumps({**BATCH, "source": "again", "entries": []}).encode())
    assert other.status_code == 409
    assert other.json()["error"]["code"] == "batch_conflict"


@pytest.mark.parametrize("text", ["/media/1", "//x", "https://h/1", "a/history", "a//b", "/", "é #?%2F", "../a"])
def test_any_key_and_batch_id_is_found_again(door: str, text: str) -> None:
    batch = {
        **BATCH,
        "source": "texts",
        "batch_id": text.replace("é ", ""),
        "entries": [{"key": text, "data": {"text": text}}],
    }
    receipt = send(door, json.dumps(batch).encode()).json()
    assert got(door, f"/api/entries/texts/{quote(text, safe='')}/history")["versions"][0]["data"] == {"text": text}
    assert got(door, f"/api/batches/texts/{quote(batch['batch_id'], safe='')}") == receipt


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "not_a_batch"),
        (b"[]", {}, 400, "not_a_batch"),
        (b"x", {"Content_Type": "text/plain"}, 415, "unsupported_media"),
        (b"x", {"Content_Encoding": "gzip"}, 400, "not_a_batch"),
        (b"x", {"Content_Encoding": "br"}, 415, "unsupported_media"),
        (gzip.compress(bytes(40_000_000)), {"Content_Encoding": "gzip"}, 413, "too_large"),
        (bytes(33 * 1024 * 1024), {}, 413, "request_entity_too_large"),
    ],
)
def test_what_is_refused_says_why(door: str, body: bytes, headers: dict[str, str], status: int, code: str) -> None:
    answer = send(door, body, **headers)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.json()["error"]["message"]


def test_the_request_id_is_honoured(door: str) -> None:
    assert send(door, b"{", X_Request_ID="run-7").headers["X-Request-ID"] == "run-7"
    assert send(door, b"{", X_Request_ID="ä b").headers["X-Request-ID"] != "ä b"


def test_the_short_form(door: str) -> None:
    records = [{"id": 7, "price": "1.20"}, {"key": "k", "data": {"n": 1}, "topic": "t"}, {"no": "name"}, 5]
    body = json.dumps({"source": "short", "data": records}).encode()
    receipt = send(door, body, "/api/new_data").json()
    assert (receipt["new"], len(receipt["rejected"])) == (3, 1)
    shown = requests.get(f"{door}/api/entries?source=short", timeout=30).json()["entries"]
    by_key = {entry["key"]: entry for entry in shown}
    assert by_key["7"]["data"] == {"id": 7, "price": "1.20"}
    assert by_key["k"]["topic"] == "t"
    again = send(door, body, "/api/new_data").json()
    assert (again["new"], again["unchanged"]) == (0, 3)


def test_dead_letters_keep_what_was_rejected_once(door: str) -> None:
    body = json.dumps({**BATCH, "source": "dead", "entries": [{"key": "a", "data": 5}]}).encode()
    send(door, body)
    send(door, body)
    (letter,) = requests.get(f"{door}/api/dead-letters?source=dead", timeout=30).json()["dead_letters"]
    assert (letter["key"], letter["index"], json.loads(letter["payload"])) == ("a", 0, {"key": "a", "data": 5})


def test_runs_and_sources_are_told(door: str) -> None:
    info = {"name": "told", "title": "Told", "every": 30.0, "removal": {"misses": 1, "hold_above": 0.2}}
    assert requests.put(f"{door}/api/sources/told", json=info, timeout=30).status_code == 204
    run = {"run_id": "r1", "source": "told", "state": "running", "started_at": "2026-11-22T07:00:00Z"}
    assert requests.post(f"{door}/api/runs", json=run, timeout=30).status_code == 204
    fault = {"code": "selector_failed", "message": "no rows", "lasting": True}
    ended = {**run, "state": "failed", "finished_at": "2026-11-22T07:00:09Z", "pages": 2, "fault": fault}
    assert requests.post(f"{door}/api/runs", json=ended, timeout=30).status_code == 204
    source = requests.get(f"{door}/api/sources/told", timeout=30).json()
    assert (source["title"], source["state"], source["removal"]["hold_above"]) == ("Told", "failing", 0.2)
    assert source["last_run"]["fault"]["message"] == "no rows"
    assert "no rows" in source["reason"]
    other = requests.put(f"{door}/api/sources/else", json=info, timeout=30)
    assert other.status_code == 400


def test_pages_of_entries_add_up_and_are_found_by_text(door: str) -> None:
    post(door, "many", {f"k{n:03}": {"name": f"Beam {n}", "pct": "100%"} for n in range(250)})
    keys: list[str] = []
    after = ""
    while after is not None:
        page = requests.get(f"{door}/api/entries?source=many&limit=100&after={after}", timeout=30).json()
        keys += [entry["key"] for entry in page["entries"]]
        after = page["next"]
    assert sorted(keys) == [f"k{n:03}" for n in range(250)]
    found = requests.get(f"{door}/api/entries?source=many&q=bEAM 24", timeout=30).json()["entries"]
    assert len(found) == 11
    assert requests.get(f"{door}/api/entries?source=many&q=%25", timeout=30).json()["entries"] != []
    assert requests.get(f"{door}/api/entries?source=many&q=0_0", timeout=30).json()["entries"] == []
    everywhere = requests.get(f"{door}/api/entries?limit=1", timeout=30).json()
    assert requests.get(f"{door}/api/entries?limit=1&after={everywhere['next']}", timeout=30).json()["entries"]
    for wrong in ("limit=0", "limit=x", "after=x", "after=1:2", "limit=9999"):
        assert requests.get(f"{door}/api/entries?{wrong}", timeout=30).status_code == 400


def test_held_runs_are_shown_and_decided(door: str) -> None:
    post(door, "held", {f"k{n}": ("steel", {"n": n}) for n in range(10)}, complete=True)
    receipt = post(door, "held", {"k1": ("steel", {"n": 1})}, complete=True)
    (hold,) = requests.get(f"{door}/api/holds?source=held", timeout=30).json()["holds"]
    assert (hold["id"], hold["present"], hold["seen"], hold["missing_count"]) == (receipt["held"], 10, 1, 9)
    assert hold["by_topic"] == {"steel": {"seen": 1, "present": 10}}
    assert len(hold["missing"]) == 9
    approved = requests.post(f"{door}/api/holds/{hold['id']}/approve", timeout=30)
    assert approved.json() == {"removed": 9}
    assert requests.post(f"{door}/api/holds/{hold['id']}/approve", timeout=30).status_code == 404


def test_another_name_than_ours_is_refused(door: str) -> None:
    answer = requests.get(f"{door}/api/sources", headers={"Host": "evil.example"}, timeout=30)
    assert answer.status_code == 400


def test_a_wrong_address_is_answered_with_where_to_look(door: str) -> None:
    lost = requests.get(f"{door}/api/entrys", timeout=30)
    assert (lost.status_code, lost.json()["error"]["message"]) == (404, "there is nothing at /api/entrys: see /docs")
    wrong = requests.delete(f"{door}/api/entries", timeout=30)
    assert wrong.status_code == 405
    assert wrong.json()["error"]["message"].startswith("/api/entries takes ")
    assert wrong.json()["error"]["message"].endswith(", not DELETE: see /docs")
