"""A real server that asks for tokens: what is answered without one, with one, and with one that does not cover it."""

from http.cookies import SimpleCookie
from typing import Any

import pytest
import requests
import socketio

from ingest_api.auth import issue
from tests.conftest import Server
from tests.reader import Reader
from tests.tokens import OPERATOR, SECRET, bearer, deliver, locked, token  # noqa: F401


def ask(server: Server, path: str, by: str | None = None, method: str = "GET", **more: Any) -> requests.Response:
    return requests.request(
        method, server.url + path, headers=bearer(by) if by else {}, timeout=30, allow_redirects=False, **more
    )


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


@pytest.mark.parametrize("path", ["/", "/static/js/main.js", "/docs", "/openapi.json", "/healthz", "/readyz"])
def test_the_page_itself_is_public(locked: Server, path: str) -> None:  # noqa: F811
    assert ask(locked, path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/sources"),
        ("GET", "/api/sources/a"),
        ("GET", "/api/entries"),
        ("GET", "/api/entries/a/k/history"),
        ("GET", "/api/runs"),
        ("GET", "/api/dead-letters"),
        ("GET", "/api/holds"),
        ("POST", "/api/holds/1/approve"),
        ("POST", "/api/entries"),
        ("POST", "/api/new_data"),
        ("POST", "/api/runs"),
        ("PUT", "/api/sources/a"),
        ("POST", "/api/tokens/revoke"),
        ("GET", "/metrics"),
        ("GET", "/dashboard/"),
        ("GET", "/api/whatever-comes-later"),
    ],
)
def test_without_a_token_there_is_nothing_to_see(locked: Server, method: str, path: str) -> None:  # noqa: F811
    assert said(ask(locked, path, method=method)) == (401, "unauthenticated")


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/"])
def test_a_person_who_may_not_see_the_charts_is_led_to_the_page(locked: Server, path: str) -> None:  # noqa: F811
    for by in (None, token("see_a")):
        headers = {"Accept": "text/html,application/xhtml+xml", **(bearer(by) if by else {})}
        answer = requests.get(locked.url + path, headers=headers, timeout=30, allow_redirects=False)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/?to=charts")
        assert ask(locked, path, by).status_code == (403 if by else 401)


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("nonsense", "unauthenticated"),
        (issue("another secret of more than 32 bytes", sub="a", ttl=60, now=2e9, join=["*"]), "unauthenticated"),
        (issue(SECRET, sub="a", ttl=60, now=1e9, join=["*"]), "expired"),
    ],
)
def test_a_token_that_does_not_count(locked: Server, by: str, code: str) -> None:  # noqa: F811
    assert said(ask(locked, "/api/sources", by)) == (401, code)


def test_one_sees_what_one_may_join(locked: Server) -> None:  # noqa: F811
    for source in ("see_a", "see_b"):
        assert deliver(locked, source, {"k": {"n": 1}}).status_code == 200
    mine = token("see_a")
    assert [source["name"] for source in ask(locked, "/api/sources", mine).json()["sources"]] == ["see_a"]
    assert ask(locked, "/api/sources/see_a", mine).status_code == 200
    assert said(ask(locked, "/api/sources/see_b", mine)) == (403, "forbidden")
    assert len(ask(locked, "/api/entries?source=see_a", mine).json()["entries"]) == 1
    assert ask(locked, "/api/entries/see_a/k/history", mine).status_code == 200
    for path in (
        "/api/entries?source=see_b",
        "/api/entries?source=see_b&source=see_a",
        "/api/entries/see_b/k/history",
        "/api/entries/see_b/k/history?source=see_a",
        "/api/runs?source=see_b",
        "/api/entries",
        "/api/runs",
    ):
        assert said(ask(locked, path, mine)) == (403, "forbidden"), path


def test_a_token_for_a_topic_sees_that_topic(locked: Server) -> None:  # noqa: F811
    entries = [{"key": topic, "topic": topic, "data": {"n": 1}} for topic in ("steel", "copper")]
    deliver(locked, "topical", {}, entries=entries)
    mine = token("topical/steel")
    assert [e["key"] for e in ask(locked, "/api/entries?source=topical&topic=steel", mine).json()["entries"]] == [
        "steel"
    ]
    for path in (
        "/api/entries?source=topical",
        "/api/entries?source=topical&topic=copper",
        "/api/entries/topical/copper/history",
        "/api/entries/topical/copper/history?topic=steel",
        "/api/sources/topical",
    ):
        assert said(ask(locked, path, mine)) == (403, "forbidden"), path
    with Reader(locked.url, mine) as reader:
        assert reader.join("topical/steel")["ok"]
        assert reader.ask("join", {"room": "topical"})["error"]["code"] == "forbidden"
        assert reader.ask("join", {"room": "topical/copper"})["error"]["code"] == "forbidden"
        reader.reach("topical/steel", 2)
        assert list(reader.entries["topical/steel"]) == ["steel"]


def test_a_name_means_to_the_policy_what_it_means_to_the_view(locked: Server) -> None:  # noqa: F811
    """A pattern is asked about the room that is answered from, not about the text that names it."""
    ticks = {"field": "price", "windows": ["1m"]}
    ask(locked, "/api/sources/vendor_t", OPERATOR, "PUT", json={"name": "vendor_t", "aggregate": ticks})
    for source in ("vendor_x", "vendor_secret", "vendor_t"):
        entries = [{"key": f"in {topic}", "topic": topic, "data": {"price": 2}} for topic in ("steel", None)]
        assert deliver(locked, source, {}, entries=entries).status_code == 200
    for pattern, path, query in (
        ("*steel", "/api/top", {"source": "vendor_x/steel"}),
        ("*steel", "/api/top", {"source": "vendor_x", "topic": "steel"}),
        ("vendor_*1", "/api/top", {"source": "vendor_secret?where=price != 1"}),
        ("vendor_*1", "/api/top", {"source": "vendor_secret?delta&where=price != 1"}),
        ("vendor_x/*1", "/api/top", {"source": "vendor_x", "topic": "steel?where=price != 1"}),
        ("vendor_x/copper", "/api/top", {"source": "vendor_x/steel", "topic": "copper"}),
        ("*copper", "/api/top", {"source": "vendor_x/steel", "topic": "copper"}),
        ("vendor_x/*", "/api/entries", {"source": "vendor_x", "topic": ""}),
        ("vendor_x/*", "/api/top", {"source": "vendor_x", "topic": ""}),
        ("vendor_t/*s", "/api/candles", {"source": "vendor_t"}),
        ("vendor_t/candles/", "/api/candles", {"source": "vendor_t", "window": ""}),
        ("*.candles.candles", "/api/candles", {"source": "vendor_t.candles"}),
        ("vendor_x", "/dashboard/", {"source": "vendor_x"}),
        ("vendor_x", "/dashboard/_dash-layout", {"source": "vendor_x"}),
        ("vendor_x", "/dashboard/_dash-layout", {"name": "vendor_x"}),
    ):
        assert said(ask(locked, path, token(pattern), params=query)) == (403, "forbidden"), (pattern, path, query)
    for pattern, path, query in (
        ("vendor_x/steel", "/api/top", {"source": "vendor_x/steel"}),
        ("vendor_x/steel", "/api/top", {"source": "vendor_x", "topic": "steel?where=price != 1"}),
        ("vendor_secret", "/api/top", {"source": "vendor_secret?where=price != 1"}),
        ("vendor_t", "/api/candles", {"source": "vendor_t.candles"}),
        ("vendor_t/candles/1m", "/api/candles", {"source": "vendor_t", "window": "1m"}),
        ("vendor_t/candles*", "/api/candles", {"source": "vendor_t"}),
    ):
        assert ask(locked, path, token(pattern), params=query).status_code == 200, (pattern, path, query)


def test_one_delivers_what_one_may(locked: Server) -> None:  # noqa: F811
    mine = token("*", ingest=["mine_*"])
    assert deliver(locked, "mine_a", {"k": {}}, token=mine).status_code == 200
    assert said(deliver(locked, "other", {"k": {}}, token=mine)) == (403, "forbidden")
    report = {"run_id": "r", "source": "other", "state": "running", "started_at": "2026-11-22T10:00:00Z"}
    for method, path, body in (
        ("POST", "/api/new_data", {"source": "other", "data": [{"key": "k"}]}),
        ("POST", "/api/runs", report),
        ("PUT", "/api/sources/other", {"name": "other"}),
        ("PUT", "/api/sources/other", {"name": "mine_a"}),
    ):
        assert said(ask(locked, path, mine, method, json=body)) == (403, "forbidden"), path
    assert ask(locked, "/api/sources/mine_a", mine, "PUT", json={"name": "other"}).status_code == 400
    assert ask(locked, "/api/sources/other", OPERATOR).status_code == 404, "nothing of it was stored"


def test_holds_and_dead_letters_are_for_operators(locked: Server) -> None:  # noqa: F811
    keys = {f"k{number}": {} for number in range(10)}
    for data in (keys, {"k0": {}}):
        deliver(locked, "held_a", data, complete=True)
    deliver(locked, "held_a", {"k0": {}}, entries=[{"key": "", "data": {}}])
    [hold] = [h for h in ask(locked, "/api/holds", OPERATOR).json()["holds"] if h["source"] == "held_a"]
    reader, stranger = token("*"), token("held_b", operate=True)
    for path in ("/api/holds", "/api/dead-letters?source=held_a"):
        assert said(ask(locked, path, reader)) == (403, "forbidden")
    assert said(ask(locked, f"/api/holds/{hold['id']}/approve", reader, "POST")) == (403, "forbidden")
    assert ask(locked, "/api/holds", stranger).json()["holds"] == []
    assert said(ask(locked, "/api/dead-letters?source=held_a", stranger)) == (403, "forbidden")
    assert said(ask(locked, f"/api/holds/{hold['id']}/approve", stranger, "POST")) == (403, "forbidden")
    mine = token("held_a", operate=True)
    assert len(ask(locked, "/api/dead-letters?source=held_a", mine).json()["dead_letters"]) == 1
    assert ask(locked, f"/api/holds/{hold['id']}/discard", mine, "POST").json() == {"removed": 0}
    assert said(ask(locked, "/api/holds/9999/discard", mine, "POST")) == (404, "not_found")


def test_a_room_is_for_those_who_may_join_it(locked: Server) -> None:  # noqa: F811
    deliver(locked, "room_a", {"k": {}})
    deliver(locked, "room_b", {"k": {}})
    with Reader(locked.url, token("room_a")) as reader:
        for room in ("room_b", "room_b/steel"):
            assert reader.ask("join", {"room": room})["error"]["code"] == "forbidden"
            assert reader.ask("message", {"room": room, "text": "hello"})["ok"] is False
        assert reader.join("room_a")["ok"]
        reader.reach("room_a", 1)
        overview = reader.ask("join", {"room": "*"})
        assert overview["ok"]
        assert (overview["room"], overview["sources"]) == ("*", ["room_a"])
        deliver(locked, "room_b", {"k": {"n": 2}})
        deliver(locked, "room_c", {"k": {"n": 2}})
        offset = deliver(locked, "room_a", {"k": {"n": 2}}).json()["offset"]
        reader.wait(lambda: reader.watermarks.get("room_a", {}).get("upto") == offset, "the watermark of room_a")
        assert set(reader.watermarks) == {"room_a"}
        assert reader.ask("leave", {"room": "*"})["ok"]
        assert reader.violations == []


@pytest.mark.parametrize("auth", [None, {}, {"token": ""}, {"token": 7}, {"token": "nonsense"}])
def test_a_client_without_a_token_is_told_why_it_may_not_connect(locked: Server, auth: Any) -> None:  # noqa: F811
    client = socketio.Client(reconnection=False)
    refusals: list[Any] = []
    client.on("connect_error", refusals.append)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(locked.url, auth=auth, transports=["websocket"])
    client.disconnect()
    assert refusals[0]["data"]["code"] == "unauthenticated"


@pytest.mark.parametrize("auth", ["nonsense", [1]])
def test_what_is_no_auth_ends_the_connection(locked: Server, auth: Any) -> None:  # noqa: F811
    client = socketio.Client(reconnection=False)
    with pytest.raises(socketio.exceptions.ConnectionError):
        client.connect(locked.url, auth=auth, transports=["websocket"])
    client.disconnect()


def test_signing_in_sets_a_cookie_that_a_page_cannot_read(locked: Server) -> None:  # noqa: F811
    deliver(locked, "cookie_a", {"k": {}})
    mine = token("cookie_a", sub="alice")
    refused = ask(locked, "/api/session", method="POST", json={"token": "nonsense"})
    assert said(refused) == (401, "unauthenticated")
    assert "Set-Cookie" not in refused.headers
    answer = ask(locked, "/api/session", method="POST", json={"token": mine})
    assert (answer.json()["name"], answer.json()["join"]) == ("alice", ["cookie_a"])
    cookie = SimpleCookie(answer.headers["Set-Cookie"])["portalwire"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert 3500 < int(cookie["max-age"]) <= 3600
    kept = {"Cookie": f"portalwire={cookie.value}"}
    who = requests.get(f"{locked.url}/api/session", headers=kept, timeout=30).json()
    assert (who["tokens"], who["name"]) == (True, "alice")
    assert requests.get(f"{locked.url}/api/sources/cookie_a", headers=kept, timeout=30).status_code == 200
    client = socketio.Client(reconnection=False)
    client.connect(locked.url, headers=kept, transports=["websocket"])
    assert client.call("join", {"room": "cookie_a"})["ok"]
    client.disconnect()
    gone = requests.delete(f"{locked.url}/api/session", headers=kept, timeout=30)
    assert SimpleCookie(gone.headers["Set-Cookie"])["portalwire"].value == ""


def test_nobody_is_signed_in_without_a_token(locked: Server) -> None:  # noqa: F811
    who = ask(locked, "/api/session").json()
    assert (who["tokens"], who["name"], who["join"]) == (True, None, [])


def test_without_a_secret_there_is_one_local_user(server: Server) -> None:
    who = ask(server, "/api/session").json()
    assert (who["tokens"], who["join"], who["ingest"], who["operate"]) == (False, ["*"], ["*"], True)


def test_what_a_token_says_is_not_logged(locked: Server) -> None:  # noqa: F811
    secret = token("*", sub="leaky")
    ask(locked, f"/api/sources?token={secret}", secret)
    ask(locked, "/api/session", method="POST", json={"token": secret})
    ask(locked, "/api/whatever", secret)
    log = locked.log.read_text()
    assert "token_in_address" in log
    assert secret not in log
    assert secret.split(".")[2] not in log
    assert SECRET not in log
