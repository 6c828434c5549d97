"""The POST door: turns a request into one value and makes one call. Answers only after the commit."""

import math
import re
import uuid
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, TypeVar

from flask import Blueprint, Response, g, request

from ingest_api.auth import Grant
from ingest_api.contract import Batch, RunReport, SourceInfo, Submission, wire
from ingest_api.contract.errors import ContractError, UnsupportedMedia
from ingest_api.intake import Intake, stored
from ingest_api.short_form import ShortForm, as_batch, read

T = TypeVar("T")

_MEDIA = {
    "application/json": wire.JSON,
    "application/msgpack": wire.MSGPACK,
    "application/x-msgpack": wire.MSGPACK,
}
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,100}")

BODIES: dict[str, type] = {
    "POST /api/entries": Batch,
    "POST /api/new_data": ShortForm,
    "POST /api/runs": RunReport,
    "PUT /api/sources/{name}": SourceInfo,
}
"""What each operation of this door takes, for OpenAPI."""


def door(intake: Intake) -> Blueprint:
    """The blueprint of the POST door, before `intake`."""
    blueprint = Blueprint("door", __name__)

    @blueprint.post("/api/entries")
    def entries() -> Response:
        reading = partial(_body().batch, datetime.now(UTC))
        return answer(stored(intake, reading, grant().require_ingest))

    @blueprint.post("/api/new_data")
    def new_data() -> Response:
        reading = partial(_body().short_batch, request_id(), datetime.now(UTC))
        return answer(stored(intake, reading, grant().require_ingest))

    @blueprint.get("/api/batches/<source>/<text:batch_id>")
    def receipt(source: str, batch_id: str) -> Response:
        grant().require_ingest(source)
        return answer(intake.receipt(source, batch_id, request.args.get("digest")))

    @blueprint.post("/api/runs")
    def runs() -> Response:
        report = intake.aside(partial(_body().value, RunReport))
        grant().require_ingest(report.source)
        intake.run(report)
        return Response(status=204)

    @blueprint.put("/api/sources/<name>")
    def sources(name: str) -> Response:
        grant().require_ingest(name)
        info = intake.aside(partial(_body().value, SourceInfo))
        if info.name != name:
            raise ContractError(f"the body is about {info.name!r}, the address about {name!r}")
        intake.source(info)
        return Response(status=204)

    return blueprint


def grant() -> Grant:
    """What the sender of this request may do, as the server before us found out."""
    asker: Grant = g.grant
    return asker


def request_id() -> str:
    """The id that names this request in every log line and event: the client's X-Request-ID, or one of ours."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
    name: str = g.request_id
    return name


def answer(value: object, status: int = 200) -> Response:
    """A contract value as JSON."""
    return Response(wire.encode(value), status, mimetype=wire.JSON)


def refusal(error: ContractError) -> Response:
    """`{"error": {"code": …, "message": …}}`, with Retry-After where waiting helps."""
    response = answer({"error": {"code": error.code, "message": error.message}}, error.status)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(retry_after))
    return response


class _Body(NamedTuple):
    """What a request brought, as it came. To read it may take seconds: that is for the intake to do, aside."""

    content: bytes
    encoding: str | None
    media: str

    def batch(self, received_at: datetime) -> Submission:
        return wire.decode_submission(self._opened(), self.media, received_at)

    def short_batch(self, request_id: str, received_at: datetime) -> Submission:
        batch = as_batch(read(self._opened(), self.media), request_id, self.media)
        return wire.decode_submission(batch, self.media, received_at)

    def value(self, kind: type[T]) -> T:
        return wire.decode(self._opened(), kind, self.media)

    def _opened(self) -> bytes:
        return wire.inflate(self.content, self.encoding)


def _body() -> _Body:
    media = _MEDIA.get(request.mimetype)
    if media is None:
        raise UnsupportedMedia
    return _Body(request.get_data(cache=False), request.content_encoding, media)
