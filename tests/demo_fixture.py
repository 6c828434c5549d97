"""The demo site for tests: a real server on a free port in a thread, fresh for every test."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from fixtures.demo.server import create_app


class Demo:
    """The running site; it moves on only when told. `close` stops it."""

    def __init__(self, seed: int = 1) -> None:
        self._server = make_server("127.0.0.1", 0, create_app(seed=seed), threaded=True)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def step(self, steps: int = 1, source: str | None = None) -> dict[str, int]:
        """Moves one source, or both, on; source -> steps made so far."""
        return self._post("/step", {"steps": steps, "source": source})

    def mode(self, source: str, mode: str, **more: Any) -> None:
        """Breaks a portal (`fixtures.demo.world.MODES`), or mends it with "normal"."""
        self._post("/mode", {"source": source, "mode": mode, **more})

    def truth(self, source: str) -> dict[str, dict[str, Any]]:
        """key -> data, as the portal shows it now."""
        return self._json(requests.get(f"{self.url}/truth/{source}", timeout=5))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._json(requests.post(self.url + path, json=body, timeout=5))

    @staticmethod
    def _json(answer: requests.Response) -> Any:
        answer.raise_for_status()
        return answer.json()


@pytest.fixture
def demo() -> Iterator[Demo]:
    site = Demo()
    yield site
    site.close()
