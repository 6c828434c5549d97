"""Signing in and out of the page, and withdrawing tokens."""

import time

import msgspec
from flask import Blueprint, Response, g, request
from flask_limiter import Limiter

from ingest_api.auth import Grant
from ingest_api.contract import wire
from ingest_api.contract.batch import Id
from ingest_api.http import answer
from realtime.access import COOKIE, Access
from realtime.guard import SIGN_INS
from realtime.store.moments import iso


class SignIn(msgspec.Struct, kw_only=True):
    """The token that the page shall use from now on."""

    token: str


class Revocation(msgspec.Struct, kw_only=True):
    """The id (`jti`) of the token that shall count no more."""

    jti: Id


class SessionView(msgspec.Struct, kw_only=True):
    """Who is asking. `tokens`: whether this server asks for them; `name` is null for who has none that counts."""

    tokens: bool
    name: str | None = None
    expires: str | None = None
    join: list[str] = []
    ingest: list[str] = []
    operate: bool = False


ANSWERS: dict[str, type] = {"GET /api/session": SessionView, "POST /api/session": SessionView}
BODIES: dict[str, type] = {"POST /api/session": SignIn, "POST /api/tokens/revoke": Revocation}
"""What each operation here answers and takes, for OpenAPI."""


def session(access: Access, limiter: Limiter) -> Blueprint:
    """The blueprint of `/api/session` and `/api/tokens/revoke`."""
    blueprint = Blueprint("session", __name__)

    @blueprint.get("/api/session")
    def who() -> Response:
        return answer(_view(access, g.grant))

    @blueprint.post("/api/session")
    @limiter.limit(SIGN_INS)
    def sign_in() -> Response:
        token = wire.decode(request.get_data(cache=False), SignIn).token.strip()
        grant = access.grant(token)
        response = answer(_view(access, grant))
        if not access.open:
            _set_cookie(response, token, grant)
        return response

    @blueprint.delete("/api/session")
    def sign_out() -> Response:
        response = Response(status=204)
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=_is_tls())
        return response

    @blueprint.post("/api/tokens/revoke")
    def revoke() -> Response:
        access.revoke(wire.decode(request.get_data(cache=False), Revocation).jti)
        return Response(status=204)

    return blueprint


def _view(access: Access, grant: Grant) -> SessionView:
    return SessionView(
        tokens=not access.open,
        name=grant.sub or None,
        expires=None if grant.expires is None else iso(int(grant.expires * 1000)),
        join=list(grant.join),
        ingest=list(grant.ingest),
        operate=grant.operate,
    )


def _set_cookie(response: Response, token: str, grant: Grant) -> None:
    left = int((grant.expires or time.time()) - time.time())
    response.set_cookie(COOKIE, token, max_age=left, httponly=True, samesite="Lax", secure=_is_tls())


def _is_tls() -> bool:
    """Whether the browser came by TLS: here, or at a proxy before us, which the checked Origin tells."""
    return request.is_secure or request.headers.get("Origin", "").startswith("https://")
