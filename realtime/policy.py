"""What a request must be allowed to do, told from its address: what is not named here is denied to who may not see all.

The POST door checks the source of what it is sent itself, and lists are filtered where they are made.
"""

from flask import Request

from ingest_api.auth import Grant
from ingest_api.contract.errors import Forbidden
from ingest_api.contract.source import CANDLES

PUBLIC = ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/favicon.ico", "/api/session")
PUBLIC_FOLDERS = ("/static/",)
OPERATED = ("/metrics", "/api/dead-letters", "/api/holds", "/api/tokens")
FILTERED = ("/api/sources", "/api/holds")  # lists that hold only what the asker may join


def is_public(path: str) -> bool:
    """Whether everybody may ask: the page itself, and whether the server lives. They tell nothing of a source."""
    return path in PUBLIC or path.startswith(PUBLIC_FOLDERS)


def permit(grant: Grant, request: Request) -> None:
    """Raises Forbidden when the grant does not cover the request."""
    path = request.path
    if any(path == operated or path.startswith(f"{operated}/") for operated in OPERATED):
        grant.require_operate()
        if path.startswith(("/metrics", "/api/tokens", "/api/holds/")):
            return
    if path in FILTERED or request.blueprint == "door":
        return
    source = _source(request)
    if source is not None and path == "/api/candles":
        grant.require_join(source + CANDLES, request.args.get("window"))
    elif source is not None:
        grant.require_join(source, request.args.get("topic") if path in ("/api/entries", "/api/top") else None)
    elif not grant.joins_all:
        raise Forbidden("this token does not cover every source: name one, ?source=NAME")


def _source(request: Request) -> str | None:
    """The source that a request is about: of its path, else of its query."""
    named = request.view_args or {}
    source: str | None = named.get("source") or named.get("name") or request.args.get("source")
    return source or None
