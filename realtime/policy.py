"""What a request must be allowed to do, told from its address: what is not named here is denied to who may not see all.

The POST door checks the source of what it is sent itself, and lists are filtered where they are made.
"""

from flask import Request

from ingest_api.auth import Grant
from ingest_api.contract.errors import Forbidden
from ingest_api.contract.source import CANDLES
from realtime import query

PUBLIC = ("/", "/docs", "/openapi.json", "/healthz", "/readyz", "/favicon.ico", "/api/session")
PUBLIC_FOLDERS = ("/static/",)
OPERATED = ("/metrics", "/api/dead-letters", "/api/holds", "/api/tokens")
FILTERED = ("/api/sources", "/api/holds")  # lists that hold only what the asker may join
NARROWED = ("/api/entries", "/api/runs", "/api/dead-letters", "/api/top", "/api/candles")  # to ?source=


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
    if source is None:
        if not grant.joins_all:
            raise Forbidden("this token does not cover every source: name one, ?source=NAME")
    elif path == "/api/top":
        room = query.room()
        grant.require_join(room.source, room.topic)
    elif path == "/api/candles":
        grant.require_join(source.removesuffix(CANDLES) + CANDLES, query.asked("window"))
    else:
        grant.require_join(source, query.asked("topic") if path == "/api/entries" else None)


def _source(request: Request) -> str | None:
    """The source that a request is about: of its path, else of its query where the view asks for no other."""
    named = request.view_args or {}
    source: str | None = named.get("source") or named.get("name")
    return source or (query.asked("source") if request.path in NARROWED else None)
