"""A server that encrypts its connections itself."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import requests
import trustme

from tests.conftest import Server
from tests.tokens import LOCKED


class Encrypted(Server):
    """A server with a certificate of an authority of the tests' own."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = MappingProxyType({})) -> None:
        authority = trustme.CA()
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        self.trusted = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.trusted))
        chain, key = folder / "chain.pem", folder / "key.pem"
        certificate.private_key_pem.write_to_path(str(key))
        for pem in certificate.cert_chain_pems:
            pem.write_to_path(str(chain), append=True)
        files = {"PORTALWIRE_TLS_CERTIFICATE": str(chain), "PORTALWIRE_TLS_KEY": str(key)}
        super().__init__(folder, {**LOCKED, **files, **environment})
        self.url = f"https://127.0.0.1:{self.port}"

    def connect(self) -> socket.socket:
        context = ssl.create_default_context(cafile=str(self.trusted))
        return context.wrap_socket(super().connect(), server_hostname="127.0.0.1")

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5, verify=str(self.trusted)).ok
        except (requests.ConnectionError, requests.ReadTimeout):  # several processes listen before they serve
            return False
