"""What is compressed and what is not: HTTP answers by gzip, websockets never."""

import gzip

import pytest
import requests
import websocket

from tests.conftest import Server
from tests.sending import post


def raw(url: str, encoding: str | None) -> tuple[requests.Response, bytes]:
    """An answer and its body as it came over the line."""
    headers = {"Accept-Encoding": encoding}
    with requests.get(url, headers=headers, stream=True, timeout=30) as answer:
        return answer, answer.raw.read()


@pytest.fixture(scope="module")
def url(module_server: Server) -> str:
    post(module_server.url, "vendor_zip", {f"k{n}": {"name": "Beam HEB 200", "n": n} for n in range(900)})
    return module_server.url


@pytest.mark.parametrize(
    "path", ["/api/entries?limit=5", "/api/entries?limit=900", "/openapi.json", "/static/js/page.js", "/"]
)
def test_http_answers_come_gzipped_to_those_who_take_it(url: str, path: str) -> None:
    answer, body = raw(url + path, "gzip, deflate")
    plain, whole = raw(url + path, "identity")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == whole
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert len(body) < len(whole)


@pytest.mark.parametrize(("path", "encoding"), [("/healthz", "gzip"), ("/", "gzip;q=0"), ("/", "br")])
def test_small_answers_and_other_wishes_stay_plain(url: str, path: str, encoding: str) -> None:
    answer, _ = raw(url + path, encoding)
    assert answer.ok
    assert "Content-Encoding" not in answer.headers


def test_a_gzipped_file_is_not_sent_again(url: str) -> None:
    first, _ = raw(f"{url}/static/js/page.js", "gzip")
    again = requests.get(
        f"{url}/static/js/page.js",
        headers={"Accept-Encoding": "gzip", "If-None-Match": first.headers["ETag"]},
        timeout=30,
    )
    assert again.status_code == 304


def test_no_extension_of_a_websocket_is_taken(url: str) -> None:
    offer = "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"
    client = websocket.create_connection(
        f"{url.replace('http', 'ws')}/socket.io/?transport=websocket&EIO=4",
        header=[f"Sec-WebSocket-Extensions: {offer}"],
        timeout=30,
    )
    assert client.headers is not None
    assert "sec-websocket-extensions" not in {name.lower() for name in client.headers}
    assert client.recv().startswith("0{")
    client.close()
