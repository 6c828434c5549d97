"""Every HTTP request before its view: who asks, how often, and whether they may."""

import math
import time
from typing import Any

from flask import Flask, Response, g, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import RateLimitItem

from ingest_api.auth import Grant
from ingest_api.contract.errors import ContractError, SlowDown
from ingest_api.http import refusal
from realtime.access import Access, token_of
from realtime.policy import is_public, permit
from realtime.settings import Settings

WITH_TOKENS = "12000/minute"  # requests of one token, or of one address without
ALONE = "600000/minute"  # of the one local user
SIGN_INS = "30/minute"  # of one address
REDIS_WITHIN = 1  # seconds; then this process counts for itself

NOBODY = Grant()


def guard(app: Flask, access: Access, settings: Settings) -> Limiter:
    """Puts the checks before every view of `app`, in this order."""
    app.before_request(lambda: _identify(access))
    limiter = _limiter(settings, access)
    limiter.init_app(app)
    app.before_request(_admit)
    app.register_error_handler(RateLimitExceeded, lambda error: _slow_down(limiter, error))
    return limiter


def _identify(access: Access) -> None:
    """`g.grant`: what the asker may do; nothing where its token does not count, `g.refused` says why."""
    g.refused = None
    try:
        g.grant = access.grant(token_of(request.environ))
    except ContractError as error:
        g.grant, g.refused = NOBODY, error


def _admit() -> None:
    if is_public(request.path):
        return
    if g.refused is not None:
        raise g.refused
    permit(g.grant, request)


def _asker() -> str:
    return g.grant.id or request.remote_addr or "unknown"


def _limiter(settings: Settings, access: Access) -> Limiter:
    options: dict[str, Any] = {"storage_uri": "memory://"}
    if settings.redis_url is not None:
        options = {
            "storage_uri": settings.redis_url,
            "storage_options": {"socket_timeout": REDIS_WITHIN, "socket_connect_timeout": REDIS_WITHIN},
            "in_memory_fallback_enabled": True,
        }
    return Limiter(
        _asker,
        application_limits=[settings.http_limit or (ALONE if access.open else WITH_TOKENS)],
        application_limits_exempt_when=lambda: request.path in ("/healthz", "/readyz"),
        strategy="fixed-window",
        key_prefix="portalwire",
        **options,
    )


def _slow_down(limiter: Limiter, error: RateLimitExceeded) -> Response:
    current = limiter.current_limit
    wait = max(1, math.ceil(current.reset_at - time.time())) if current else 1
    return refusal(
        SlowDown(f"more than {_said(error.limit.limit)}: wait {wait} s, then go on", retry_after=wait)
        if error.limit
        else SlowDown()
    )


def _said(limit: RateLimitItem) -> str:
    """`20 requests a minute`, `600 requests in 5 minutes`"""
    unit = limit.GRANULARITY.name
    return f"{limit.amount} requests " + (f"a {unit}" if limit.multiples == 1 else f"in {limit.multiples} {unit}s")
