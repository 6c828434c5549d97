"""gzip for what HTTP answers. Websocket frames are not compressed: an extension that inflates what anybody sends takes
as much memory as they like."""

import gzip

import gevent
from flask import Flask, Response, request

LEAST = 1024  # bytes; less is not worth it
LEVEL = 5
ASIDE = 32 * 1024  # bytes from which the event loop does not wait for it
KINDS = ("text/", "application/json", "application/javascript", "image/svg+xml")


def compress(app: Flask) -> None:
    """Makes `app` send gzip to those who accept it."""

    @app.after_request
    def gzipped(response: Response) -> Response:
        if response.status_code != 200 or not (response.mimetype or "").startswith(KINDS) or _flows(response):
            return response
        response.vary.add("Accept-Encoding")
        if "Content-Encoding" in response.headers or not request.accept_encodings.quality("gzip"):
            return response
        response.direct_passthrough = False
        body = response.get_data()
        return response if len(body) < LEAST else _with(response, _packed(body))


def _flows(response: Response) -> bool:
    """Whether its end is not known yet; a file's is."""
    return response.is_streamed and not response.direct_passthrough


def _with(response: Response, packed: bytes) -> Response:
    response.set_data(packed)
    response.headers["Content-Encoding"] = "gzip"
    etag, _ = response.get_etag()
    if etag is not None:
        response.set_etag(etag, weak=True)  # the same content in other bytes
    return response


def _packed(body: bytes) -> bytes:
    if len(body) < ASIDE:
        return _pack(body)
    packed: bytes = gevent.get_hub().threadpool.apply(_pack, (body,))
    return packed


def _pack(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)
