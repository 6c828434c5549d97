"""Clients of the hall that a test can tell what to do: Python's and the official one, over every transport."""

import json
import subprocess
from itertools import count
from pathlib import Path
from threading import Condition, Thread
from typing import Any, Protocol

import pytest

from tests.conftest import ROOT
from tests.reader import Client
from tests.realtime.test_web_modules import node

WITHIN = 60.0  # seconds
TRANSPORTS = {"websocket": ["websocket"], "polling": ["polling"], "upgrade": ["polling", "websocket"]}


class Visitor(Protocol):
    """`heard` is what came, each an event and its arguments."""

    heard: list[tuple[str, list[Any]]]

    def ask(self, event: str, *arguments: Any) -> Any:
        """What the event is acknowledged with."""

    def tell(self, event: str, *arguments: Any) -> None:
        """Sends an event that nobody acknowledges."""

    def wait(self, condition: Any) -> None:
        """Until it is true, looked at whenever something was heard."""

    def close(self) -> None: ...


class _Hearing:
    """What all visitors have in common."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, list[Any]]] = []
        self._heard = Condition()

    def _hear(self, event: str, arguments: list[Any]) -> None:
        with self._heard:
            self.heard.append((event, arguments))
            self._heard.notify_all()

    def wait(self, condition: Any) -> None:
        with self._heard:
            if not self._heard.wait_for(condition, WITHIN):
                pytest.fail(f"never; heard {self.heard[-20:]}")


class PythonVisitor(_Hearing):
    """By python-socketio."""

    def __init__(self, url: str, space: str, transport: str, parser: str) -> None:
        super().__init__()
        self._space = space
        self._client = Client(reconnection=False, serializer="msgpack" if parser == "msgpack" else "default")
        self._client.on("*", lambda event, *arguments: self._answer(event, list(arguments)), namespace=space)
        self._client.on("disconnect", lambda reason: self._hear("ended", [reason]), namespace=space)
        self._client.connect(url, transports=TRANSPORTS[transport], namespaces=[space])

    def _answer(self, event: str, arguments: list[Any]) -> Any:
        self._hear(event, _shown(arguments))
        return arguments[0] * 2 if event == "question" else None

    def ask(self, event: str, *arguments: Any) -> Any:
        return self._client.call(event, arguments, namespace=self._space, timeout=WITHIN)

    def tell(self, event: str, *arguments: Any) -> None:
        self._client.emit(event, arguments, namespace=self._space)

    def close(self) -> None:
        """Not waited for: a client that polls may wait for its last poll's answer, until the next ping."""
        Thread(target=self._client.disconnect, daemon=True).start()


class OfficialVisitor(_Hearing):
    """By the official JavaScript client under Node."""

    def __init__(self, url: str, space: str, transport: str, parser: str) -> None:
        super().__init__()
        command = node()
        if command is None:
            pytest.skip("Node is missing")
        script = str(Path(__file__).with_name("visitor.mjs"))
        self._process = subprocess.Popen(
            [command, script, url, space, ",".join(TRANSPORTS[transport]), parser],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._numbers = count()
        self._answers: dict[int, Any] = {}
        self._connected = False
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.wait(lambda: self._connected)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "ack" in said:
                with self._heard:
                    self._answers[said["ack"]] = said.get("value")
                    self._heard.notify_all()
            elif "connected" in said:
                with self._heard:
                    self._connected = True
                    self._heard.notify_all()
            elif "ended" in said:
                self._hear("ended", [said["ended"]])
            elif "event" in said:
                self._hear(said["event"], said["arguments"])

    def ask(self, event: str, *arguments: Any) -> Any:
        number = self._send(event, arguments)
        self.wait(lambda: number in self._answers)
        return self._answers[number]

    def tell(self, event: str, *arguments: Any) -> None:
        self._send(event, arguments)

    def _send(self, event: str, arguments: tuple[Any, ...]) -> int:
        number = next(self._numbers)
        assert self._process.stdin is not None
        said = {"id": number, "event": event, "arguments": _shown(list(arguments))}
        self._process.stdin.write(json.dumps(said) + "\n")
        self._process.stdin.flush()
        return number

    def close(self) -> None:
        self._process.kill()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()


def _shown(value: Any) -> Any:
    """Bytes as the official client's visitor prints them."""
    if isinstance(value, bytes | bytearray):
        return {"hex": bytes(value).hex()}
    if isinstance(value, dict):
        return {name: _shown(item) for name, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list | tuple) else value
