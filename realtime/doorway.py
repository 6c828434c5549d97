"""What every request must be before anything reads it, HTTP and Socket.IO alike: meant for us, and without a token in
its address."""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

import structlog

from ingest_api.contract.errors import ContractError
from ingest_api.http import refusal
from realtime.origins import Origins
from realtime.page import HEADERS
from realtime.serving import SOCKETS
from realtime.settings import Settings, is_loopback

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})  # methods that change nothing
SECRETS = ("token", "access_token")  # parameters that would end up in logs and histories

log = structlog.get_logger()


class ForeignHost(ContractError):
    """This server does not answer to that name: PORTALWIRE_ORIGINS says which it has."""

    code = "foreign_host"


class ForeignOrigin(ContractError):
    """A page elsewhere may not use this server: PORTALWIRE_ORIGINS says which may."""

    code = "foreign_origin"
    status = 403


class TokenInAddress(ContractError):
    """A token in an address ends up in logs and histories: send it as `Authorization: Bearer …` or in the handshake's
    `auth`, and revoke this one."""

    code = "token_in_address"


class BadAddress(ContractError):
    """An address holds no NUL (%00): nothing here has one in its name."""

    code = "bad_address"


class Doorway:
    """A WSGI application before another one."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._origins = Origins.read(settings.origins)
        self._named = {socket.gethostname().lower(), *self._origins.hosts} if settings.secret else self._origins.hosts
        self._addresses = settings.secret is not None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            self._check(environ)
        except ContractError as error:
            log.info("turned away", code=error.code, method=environ["REQUEST_METHOD"], path=environ["PATH_INFO"])
            response = refusal(error)
            response.headers.update(HEADERS)
            return response(environ, start_response)
        answer: Iterable[bytes] = self._app(environ, start_response)
        return answer

    def _check(self, environ: dict[str, Any]) -> None:
        host = environ.get("HTTP_HOST", "")
        if not self._answers_to(_without_port(host)):
            # a page elsewhere may have its name point here; it must not read us by it
            raise ForeignHost(f"this server does not answer to the name {host!r}: PORTALWIRE_ORIGINS says which it has")
        changes = environ["REQUEST_METHOD"] not in SAFE or environ["PATH_INFO"].startswith(SOCKETS)
        if changes and not self._origins.allow(environ.get("HTTP_ORIGIN"), environ):
            raise ForeignOrigin
        if any(name in parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True) for name in SECRETS):
            raise TokenInAddress
        if "\0" in environ["PATH_INFO"] + unquote(environ.get("QUERY_STRING", "")):
            raise BadAddress

    def _answers_to(self, name: str) -> bool:
        """Names can be made to point here, addresses cannot; without tokens only this machine's own will do."""
        return is_loopback(name) or name.lower() in self._named or (self._addresses and _is_address(name))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).strip("[]")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
