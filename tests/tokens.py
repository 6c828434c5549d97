"""A server that asks for tokens, and tokens for it."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ingest_api.auth import issue
from tests.conftest import Server

SECRET = "the secret of the tests, longer than thirty-two bytes"
LOCKED = {"PORTALWIRE_SECRET": SECRET}


def token(*join: str, ttl: int = 3600, **claims: Any) -> str:
    """A token of the tests' secret: what it may join, and other claims by name."""
    return issue(SECRET, **{"sub": "tester", "ttl": ttl, "now": time.time(), "join": join, **claims})


OPERATOR = token("*", ingest=["*"], operate=True, sub="operator")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def deliver(server: Server, source: str, data: dict[str, Any], **fields: Any) -> requests.Response:
    """Posts `{key: data}` by the operator's token, or by the one given."""
    by = fields.pop("token", OPERATOR)
    batch_id = f"{source}-{time.monotonic_ns()}"
    entries = [{"key": key, "data": value} for key, value in data.items()]
    batch = {"source": source, "run_id": batch_id, "batch_id": batch_id, "entries": entries, **fields}
    return requests.post(f"{server.url}/api/entries", json=batch, headers=bearer(by), timeout=30)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a secret, shared by a module's tests, each with sources of its own."""
    server = Server(tmp_path_factory.mktemp("locked"), LOCKED)
    server.start()
    yield server
    server.stop()
