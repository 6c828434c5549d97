"""Whatever is asked over HTTP, on either database, the answer is ours: no 5xx, nothing internal, and the server goes on
and starts again."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from realtime.store.engine import open_engine
from realtime.store.schema import sources
from tests.conftest import Server
from tests.sending import post
from tests.servers import PostgresServer

LEAKS = ("Traceback", "sqlite", "psycopg", "SELECT ", 'File "', "site-packages", "DataError", "OverflowError")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on either database, with a source, one with candles, and one that was held."""
    folder = tmp_path_factory.mktemp("either")
    environment = {}
    if request.param == "postgresql":
        cluster: PostgresServer = request.getfixturevalue("postgres")
        cluster.start()
        environment["PORTALWIRE_DATABASE_URL"] = cluster.create()
    server = Server(folder, environment)
    server.start()
    put(server, "ticks", aggregate={"field": "p", "by": "s", "windows": ["1m"]})
    post(server.url, "ticks", {f"t{n}": {"p": n, "s": "A"} for n in range(5)})
    post(server.url, "shop", {f"k{n}": {"price": n} for n in range(5)}, complete=True)
    yield server
    server.stop()
    assert "Traceback" not in server.log.read_text()


def put(server: Server, name: str, **fields: Any) -> requests.Response:
    return requests.put(f"{server.url}/api/sources/{name}", json={"name": name, **fields}, timeout=30)


def ask(server: Server, method: str, path: str, **more: Any) -> requests.Response:
    return requests.request(method, server.url + path, timeout=60, allow_redirects=False, **more)


def check(answer: requests.Response, *allowed: int) -> None:
    assert answer.status_code in allowed, (answer.request.method, answer.url, answer.status_code, answer.text[:300])
    if answer.status_code >= 400:
        assert not any(leak in answer.text for leak in LEAKS), answer.text[:500]


ODD = ["%00", "a%00b", "²", "%ff", "%ed%a0%80", "9" * 23, "9223372036854775808", "-1", "1e5", "٣", "%0a", "x" * 3000]
PATHS = [
    "/api/sources/{}",
    "/api/entries?source={}",
    "/api/entries?topic={}",
    "/api/entries?key={}",
    "/api/entries?q={}",
    "/api/entries?limit={}",
    "/api/entries?after={}",
    "/api/entries?source=shop&after={}",
    "/api/entries?after={}:shop:{}",
    "/api/entries?after=1:{}:1",
    "/api/entries/shop/{}/history",
    "/api/entries/{}/k0/history",
    "/api/batches/shop/{}",
    "/api/batches/{}/b",
    "/api/batches/shop/b?digest={}",
    "/api/runs?source={}",
    "/api/runs?after={}",
    "/api/dead-letters?source={}",
    "/api/dead-letters?after={}",
    "/api/holds?source={}",
    "/api/candles?source={}",
    "/api/candles?source=ticks&symbol={}",
    "/api/candles?source=ticks&window={}",
    "/api/candles?source=ticks&before={}",
    "/api/top?source={}",
    "/api/top?source=shop&topic={}",
    "/api/top?source=shop&by={}",
    "/api/top?source=shop&order={}",
    "/static/js/{}",
    "/{}",
    "/dashboard/{}",
    "/dashboard/_dash-component-suites/{}/x.js",
    "/dashboard/_dash-component-suites/dash/{}",
    "/dashboard/assets/{}",
]


@pytest.mark.parametrize("path", PATHS)
def test_odd_values_in_an_address(either: Server, path: str) -> None:
    for value in ODD:
        answer = ask(either, "GET", path.replace("{}", value))
        check(answer, 200, 400, 404, 410)
        if "%00" in value:
            assert answer.status_code == 400


def test_moments_at_the_ends_of_the_calendar(either: Server) -> None:
    for moment in ("0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00"):
        check(ask(either, "GET", f"/api/candles?source=ticks&before={moment}"), 400)


@pytest.mark.parametrize("hold", ["0", "99999999", "9223372036854775807", "9223372036854775808", "9" * 5000, "-1", "²"])
@pytest.mark.parametrize("decision", ["approve", "discard"])
def test_holds_that_there_are_not(either: Server, hold: str, decision: str) -> None:
    check(ask(either, "POST", f"/api/holds/{hold}/{decision}", json={}), 404)


RUN = {"run_id": "r", "source": "shop", "state": "complete", "started_at": "2026-01-01T00:00:00Z"}
BATCH = {"source": "shop", "run_id": "r", "batch_id": "odd", "entries": []}
DISABLING: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/api/runs", {**RUN, "started_at": "0001-01-01T00:00:00+14:00"}),
    ("POST", "/api/runs", {**RUN, "started_at": "0001-01-01T00:00:00Z"}),
    ("POST", "/api/runs", {**RUN, "finished_at": "9999-12-31T23:59:59-14:00"}),
    ("POST", "/api/runs", {**RUN, "seen": 2**63}),
    ("POST", "/api/runs", {**RUN, "pages": 2**31}),
    ("POST", "/api/runs", {**RUN, "pages": -1}),
    ("POST", "/api/entries", {**BATCH, "as_of": "0001-01-01T00:00:00Z", "complete": True}),
    ("POST", "/api/entries", {**BATCH, "as_of": "0001-01-01T00:00:00+14:00"}),
    ("PUT", "/api/sources/shop", {"name": "shop", "every": 1e308}),
    ("PUT", "/api/sources/shop", {"name": "shop", "stale_after": 1e306}),
    ("PUT", "/api/sources/shop", {"name": "shop", "next_run": "9999-12-31T23:59:59-14:00"}),
    ("PUT", f"/api/sources/{'z' * 60}", {"name": "z" * 60, "aggregate": {"field": "p", "windows": ["1s"]}}),
    ("PUT", "/api/sources/shop", {"name": "shop", "aggregate": {"field": "p", "windows": ["1m", "1m", "60s"]}}),
    ("POST", "/api/tokens/revoke", {"jti": "\u0000"}),
    ("POST", "/api/tokens/revoke", {"jti": "x" * 1000}),
]


def test_what_would_disable_the_server_is_refused_and_it_starts_again(either: Server) -> None:
    for method, path, body in DISABLING:
        check(ask(either, method, path, json=body), 400)
    stands(either)
    either.stop()
    either.start()
    stands(either)


def test_rows_that_an_older_contract_let_in_disable_nothing(either: Server) -> None:
    engine = open_engine(either.environment.get("PORTALWIRE_DATABASE_URL", f"sqlite:///{either.database}"), writes=True)
    old = [
        {"name": "old1", "info": '{"name":"old1","every":1e308}', "as_of": -(2**62)},
        {"name": "old2", "info": '{"name":"old2","stale_after":1e306}', "as_of": 2**62},
        {"name": "old3", "info": '{"name":"old3","next_run":"9999-12-31T23:59:59-14:00"}', "as_of": 0},
    ]
    with engine.begin() as connection:
        connection.execute(sa.insert(sources), old)
    engine.dispose()
    stands(either)
    either.stop()
    either.start()
    stands(either)


def stands(server: Server) -> None:
    """Everything that looks at every source can be looked at."""
    for path in ("/api/sources", "/metrics", "/dashboard/", "/dashboard/_dash-layout", "/api/runs", "/readyz"):
        check(ask(server, "GET", path), 200)


TOP = {
    "output": "top.figure",
    "outputs": {"id": "top", "property": "figure"},
    "inputs": [
        {"id": "top-source", "property": "value", "value": "shop"},
        {"id": "connected", "property": "data", "value": 1},
    ],
    "changedPropIds": ["top-source.value"],
}
CANDLES = {
    "output": "..candles.figure...symbol.options...window.options..",
    "outputs": [
        {"id": "candles", "property": "figure"},
        {"id": "symbol", "property": "options"},
        {"id": "window", "property": "options"},
    ],
    "inputs": [
        {"id": "candle-source", "property": "value", "value": "ticks"},
        {"id": "symbol", "property": "value", "value": "A"},
        {"id": "window", "property": "value", "value": "1m"},
        {"id": "connected", "property": "data", "value": 1},
    ],
    "changedPropIds": ["symbol.value"],
}
WRONG: list[Any] = [{}, [], None, 5, "x", {"output": "top.figure"}, {**TOP, "output": "nope.figure"}]
WRONG += [{**TOP, "inputs": []}, {**TOP, "inputs": TOP["inputs"][::-1]}, {**TOP, "outputs": []}]  # type: ignore[index]
WRONG += [
    {**TOP, "state": [{"id": "a", "property": "b"}]},
    {**TOP, "changedPropIds": 5},
    {**TOP, "outputs": CANDLES["outputs"]},
]


def chosen(body: dict[str, Any], place: int, value: Any) -> dict[str, Any]:
    inputs = [dict(each) for each in body["inputs"]]
    inputs[place]["value"] = value
    return {**body, "inputs": inputs}


def test_what_the_charts_do_not_ask(either: Server) -> None:
    callbacks = "/dashboard/_dash-update-component"
    for body in (TOP, CANDLES):
        check(ask(either, "POST", callbacks, json=body), 200)
    for body in WRONG:
        check(ask(either, "POST", callbacks, data=json.dumps(body), headers=JSON), 400)
    for raw in (b"\xff\xfe", b"{", b"", b"[1"):
        check(ask(either, "POST", callbacks, data=raw, headers=JSON), 400)
    for value in ({"a": 1}, [], True, "\u0000", "x" * 400, "\ud800"):
        for body, place in ((TOP, 0), (CANDLES, 0), (CANDLES, 1), (CANDLES, 2)):
            check(ask(either, "POST", callbacks, data=json.dumps(chosen(body, place, value)), headers=JSON), 400)
    for value in ("bad room!", "*", "nope", "shop?where=", None, 7):
        for body, place in ((TOP, 0), (CANDLES, 0), (CANDLES, 1), (CANDLES, 2)):
            check(ask(either, "POST", callbacks, json=chosen(body, place, value)), 200, 400, 404)


JSON = {"Content-Type": "application/json"}


def test_every_method_and_media_at_every_address(either: Server) -> None:
    addresses = ["/", "/api/entries", "/api/new_data", "/api/runs", "/api/session", "/metrics", "/dashboard/", "/docs"]
    bodies: list[tuple[str, bytes]] = [
        ("application/json", b"{"),
        ("application/msgpack", b"\xc1"),
        ("text/html", b"<"),
    ]
    for address, method in itertools.product(addresses, ("POST", "PUT", "DELETE", "PATCH", "OPTIONS")):
        for media, body in bodies:
            answer = ask(either, method, address, data=body, headers={"Content-Type": media})
            check(answer, 200, 204, 400, 405, 415)
