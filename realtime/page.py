"""What a browser loads: the page, its modules, and the API's documentation. Nothing comes from elsewhere."""

from pathlib import Path

from flask import Blueprint, Flask, Response, send_from_directory

from ingest_api.http import answer
from realtime.openapi import describe

WEB = Path(__file__).with_name("web")

POLICY = (
    "default-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def pages(app: Flask, version: str) -> Blueprint:
    """The blueprint of `/`, `/static/…`, `/docs` and `/openapi.json`."""
    blueprint = Blueprint("pages", __name__)

    @blueprint.get("/")
    def live() -> Response:
        return send_from_directory(WEB, "index.html")

    @blueprint.get("/static/<path:name>")
    def static(name: str) -> Response:
        response = send_from_directory(WEB, name)
        response.headers["Cache-Control"] = "no-cache"  # asked again each time, and answered 304
        return response

    @blueprint.get("/docs")
    def docs() -> Response:
        return send_from_directory(WEB, "docs.html")

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return answer(describe(app, version))

    return blueprint
