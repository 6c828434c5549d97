"""requests' adapter with our bounds: checked addresses, a total deadline, and never more bytes than allowed."""

import io
import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from scrapers.errors import TooBig
from scrapers.fetch.deadline import Deadline
from scrapers.fetch.gate import Gate

_CHUNK = 64 * 1024
_OF_THE_WIRE = ("Content-Encoding", "Content-Length", "Transfer-Encoding")  # not true of a body that was read


class BoundedAdapter(HTTPAdapter):
    """Reads every response to its end, at most `size` bytes after decompression (TooBig), before anyone sees it."""

    def __init__(self, gate: Gate, deadline: Deadline, size: int) -> None:
        self._size = size
        self._pools = _pools(gate, deadline)
        super().__init__(pool_connections=4, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["stream"] = True
        response = super().send(request, *args, **kwargs)
        response.raw = self._read(response.raw, request.url or "")
        for name in _OF_THE_WIRE:
            response.headers.pop(name, None)
        return response

    def _read(self, raw: HTTPResponse, url: str) -> HTTPResponse:
        body = io.BytesIO()
        try:
            if (raw.length_remaining or 0) > self._size:
                raise TooBig(f"the page has {raw.length_remaining} bytes, at most {self._size} are taken", page=url)
            for chunk in raw.stream(_CHUNK, decode_content=True):
                body.write(chunk)
                if body.tell() > self._size:
                    raise TooBig(f"the page has more than {self._size} bytes", page=url)
        except BaseException:
            raw.close()
            raise
        raw.release_conn()
        body.seek(0)
        headers = raw.headers.copy()
        for name in _OF_THE_WIRE:
            headers.discard(name)
        return HTTPResponse(
            body=body,
            headers=headers,
            status=raw.status,
            reason=raw.reason,
            version=raw.version,
            original_response=raw._original_response,
            preload_content=False,
            request_url=url,
        )


def _pools(gate: Gate, deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """urllib3's pools whose connections ask `gate` where to go and tell `deadline` that they went."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, gate, deadline)

        def connect(self) -> None:
            try:
                super().connect()
            finally:
                deadline.ready(self.sock)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _connected(self, gate, deadline)

        def connect(self) -> None:
            try:
                super().connect()
            finally:
                deadline.ready(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _connected(connection: HTTPConnection, gate: Gate, deadline: Deadline) -> socket.socket:
    """A connection to the first address of the host that takes one."""
    failure: OSError = OSError("the name has no address")
    try:
        for address in gate.addresses(connection.host, connection.port):
            try:
                made = create_connection(
                    (address, connection.port), connection.timeout, socket_options=connection.socket_options
                )
            except OSError as error:
                failure = error
                continue
            deadline.began(made)
            return made
    except OSError as error:
        failure = error
    if isinstance(failure, TimeoutError):
        raise ConnectTimeoutError(connection, f"no connection to {connection.host} in time") from failure
    raise NewConnectionError(connection, f"no connection to {connection.host}: {failure}") from failure
