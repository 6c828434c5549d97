"""Who is turned away before anything is read: names that are not ours, pages elsewhere, tokens in addresses."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import websocket

from tests.conftest import Server
from tests.tokens import LOCKED, OPERATOR, bearer

SOCKET = "/socket.io/?EIO=4&transport=websocket"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that pages at two other origins may use."""
    origins = {"PORTALWIRE_ORIGINS": "https://prices.example, http://desk.example:8080"}
    server = Server(tmp_path_factory.mktemp("proxied"), {**LOCKED, **origins})
    server.start()
    yield server
    server.stop()


def said(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def get(server: Server, path: str, **headers: str) -> requests.Response:
    return requests.get(server.url + path, headers=headers, timeout=30)


def opens(server: Server, **options: Any) -> bool:
    """Whether a websocket is spoken to."""
    try:
        client = websocket.create_connection(f"ws://127.0.0.1:{server.port}{SOCKET}", timeout=30, **options)
    except websocket.WebSocketBadStatusException:
        return False
    try:
        return bool(client.recv())
    except (websocket.WebSocketConnectionClosedException, ConnectionResetError):
        return False
    finally:
        client.shutdown()


@pytest.mark.parametrize("path", ["/", "/api/sources", "/socket.io/?EIO=4&transport=polling"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", "", "[::1", "localhost."]
)
def test_a_name_that_points_here_is_not_ours(module_server: Server, path: str, host: str) -> None:
    answer = get(module_server, path, Host=host)
    assert answer.status_code == 400
    assert "Content-Security-Policy" in answer.headers or host == ""


def test_a_websocket_by_a_foreign_name_is_refused(module_server: Server) -> None:
    assert not opens(module_server, host="evil.example", origin="http://evil.example")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]:5000"])
def test_this_machine_is_ours(module_server: Server, host: str) -> None:
    assert get(module_server, "/api/sources", Host=host).status_code == 200


def test_names_of_the_settings_and_addresses_are_ours(proxied: Server) -> None:
    for host in ("prices.example", "PRICES.example:443", "desk.example:8080", "10.0.0.7:5000"):
        assert get(proxied, "/readyz", Host=host).status_code == 200, host
    assert said(get(proxied, "/readyz", Host="evil.example")) == (400, "foreign_host")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1", "http://prices.example", "x"])
def test_a_page_elsewhere_may_not_use_us(proxied: Server, origin: str) -> None:
    headers = {"Origin": origin, **bearer(OPERATOR)}
    for method, path in (("POST", "/api/entries"), ("PUT", "/api/sources/a"), ("DELETE", "/api/session")):
        answer = requests.request(method, proxied.url + path, headers=headers, timeout=30)
        assert said(answer) == (403, "foreign_origin")
    polling = f"{proxied.url}/socket.io/?EIO=4&transport=polling"
    assert said(requests.get(polling, headers={"Origin": origin}, timeout=30)) == (403, "foreign_origin")
    assert not opens(proxied, origin=origin)


def test_a_page_of_ours_may(proxied: Server) -> None:
    for origin in (proxied.url, "https://prices.example", "http://desk.example:8080"):
        headers = {"Origin": origin, **bearer(OPERATOR)}
        answer = requests.put(f"{proxied.url}/api/sources/a", json={"name": "a"}, headers=headers, timeout=30)
        assert answer.status_code == 204, origin
        assert opens(proxied, origin=origin), origin


def test_a_cookie_is_for_tls_when_the_page_came_by_it(proxied: Server) -> None:
    for origin, secure in (("https://prices.example", True), (proxied.url, False)):
        answer = requests.post(
            f"{proxied.url}/api/session", json={"token": OPERATOR}, headers={"Origin": origin}, timeout=30
        )
        assert ("Secure" in answer.headers["Set-Cookie"]) is secure


@pytest.mark.parametrize("query", ["token=x", "access_token=x", "a=1&token=", "tok%65n=x"])
def test_a_token_in_an_address_is_refused(proxied: Server, query: str) -> None:
    for path in ("/", "/api/sources", "/socket.io/"):
        answer = get(proxied, f"{path}?EIO=4&transport=polling&{query}")
        assert said(answer) == (400, "token_in_address")
        assert "revoke this one" in " ".join(answer.json()["error"]["message"].split())
