"""TLS by the certificate settings: HTTP, websockets, cookies; and what a wrong certificate says."""

import ssl
from collections.abc import Iterator

import pytest
import requests
import websocket

from realtime.errors import BadSettings
from realtime.settings import Settings
from realtime.tls import tls_context
from tests.conftest import ROOT
from tests.encrypted import Encrypted
from tests.tokens import OPERATOR, bearer


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Encrypted]:
    server = Encrypted(tmp_path_factory.mktemp("encrypted"))
    server.start()
    yield server
    server.stop()


def test_http_and_a_cookie_for_tls_only(encrypted: Encrypted) -> None:
    with requests.Session() as session:
        trusted = str(encrypted.trusted)
        signed_in = {"json": {"token": OPERATOR}, "headers": {"Origin": encrypted.url}}
        answer = session.post(f"{encrypted.url}/api/session", **signed_in, verify=trusted, timeout=30)
        assert answer.status_code == 200
        assert "Secure" in answer.headers["Set-Cookie"]
        assert session.get(f"{encrypted.url}/api/sources", verify=trusted, timeout=30).status_code == 200


def test_websockets(encrypted: Encrypted) -> None:
    client = websocket.create_connection(
        f"wss://127.0.0.1:{encrypted.port}/socket.io/?EIO=4&transport=websocket",
        sslopt={"ca_certs": str(encrypted.trusted)},
        header=[f"Authorization: {bearer(OPERATOR)['Authorization']}"],
        origin=encrypted.url,
        timeout=30,
    )
    client.recv()
    client.send("40")
    assert "sid" in str(client.recv())
    client.shutdown()


def test_plain_http_is_not_served(encrypted: Encrypted) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{encrypted.port}/readyz", timeout=30)


def test_old_versions_are_not_spoken(encrypted: Encrypted) -> None:
    settings = Settings(
        tls_certificate=encrypted.environment["PORTALWIRE_TLS_CERTIFICATE"],
        tls_key=encrypted.environment["PORTALWIRE_TLS_KEY"],
    )
    context = tls_context(settings)
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("certificate", ["/nowhere.pem", str(ROOT / "pyproject.toml")])
def test_a_wrong_certificate_is_named(certificate: str) -> None:
    with pytest.raises(BadSettings, match="PORTALWIRE_TLS_CERTIFICATE"):
        tls_context(Settings(tls_certificate=certificate, tls_key=certificate))


def test_without_a_certificate_there_is_no_tls() -> None:
    assert tls_context(Settings()) is None
