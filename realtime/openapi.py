"""OpenAPI 3.1, made from the models and the routes."""

import re
from collections.abc import Collection
from typing import Any

import msgspec
from flask import Flask

from ingest_api.contract import Receipt
from ingest_api.http import BODIES as DOOR_BODIES
from realtime import lists, session
from realtime.api import ANSWERS, PARAMETERS
from realtime.errors import Undescribed

RECEIPT = "GET /api/batches/{source}/{batch_id}"

_REFUSALS = {
    "400": "What was sent breaks the contract; nothing was stored",
    "401": "No token, or one that does not count (any more)",
    "403": "The token does not allow this, or a page elsewhere asked",
    "404": "There is no such thing",
    "409": "This batch_id was used for another content",
    "410": "The batch can never be stored; it was kept as a dead letter",
    "413": "Too large: send several batches",
    "415": "Neither JSON nor MessagePack",
    "429": "Too much at once; go on after Retry-After seconds",
    "503": "The store is away; nothing was stored, send the same again after Retry-After seconds",
}
_ALWAYS = ("401", "403", "429", "503")
_REFUSED = {
    "GET": ("400", "404", *_ALWAYS),
    "POST": tuple(status for status in _REFUSALS if status != "410"),
    "PUT": ("400", "413", "415", *_ALWAYS),
    "DELETE": ("403", "429"),
    RECEIPT: ("404", "409", "410", *_ALWAYS),
}
BODIES = {**DOOR_BODIES, **session.BODIES}
_WITHOUT_BODY = {"POST /api/holds/{hold}/approve", "POST /api/holds/{hold}/discard"}  # of those that could have one
_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "portalwire"},
}
_OK: dict[str, type] = {
    "POST /api/entries": Receipt,
    "POST /api/new_data": Receipt,
    RECEIPT: Receipt,
    **ANSWERS,
    **lists.ANSWERS,
    **session.ANSWERS,
}
_NO_CONTENT = {"POST /api/runs", "PUT /api/sources/{name}", "DELETE /api/session", "POST /api/tokens/revoke"}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}


def describe(app: Flask, version: str) -> dict[str, Any]:
    """The document of every route under /api/. Raises Undescribed for one of which nobody said what it takes or
    answers, so that none is described as what it is not."""
    operations = _operations(app)
    _check(operations)
    models = sorted({*BODIES.values(), *_OK.values()}, key=lambda model: model.__name__)
    schemas, components = msgspec.json.schema_components(models, ref_template="#/components/schemas/{name}")
    schema = dict(zip(models, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation, summary in operations.items():
        method, path = operation.split(" ")
        paths.setdefault(path, {})[method.lower()] = _operation(operation, summary, schema)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Portalwire", "version": version, "description": "Docs: /docs. Events: docs/events.md."},
        "paths": paths,
        "components": {"schemas": {**components, "Error": _ERROR}, "securitySchemes": _SCHEMES},
        "security": [{"token": []}, {"cookie": []}, {}],
    }


def _operations(app: Flask) -> dict[str, str]:
    """`METHOD /path/{parameter}` -> what the handler is called."""
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                found[f"{method} {path}"] = rule.endpoint.split(".")[-1].replace("_", " ")
    return dict(sorted(found.items(), key=lambda item: item[0].split(" ")[::-1]))


def _check(operations: Collection[str]) -> None:
    answered = _OK.keys() | _NO_CONTENT
    taken = BODIES.keys() | _WITHOUT_BODY
    for operation in operations:
        if operation not in answered or (operation.startswith(("POST", "PUT", "PATCH")) and operation not in taken):
            raise Undescribed(f"{operation} has no description: say what it takes and answers (BODIES, ANSWERS)")


def _operation(operation: str, summary: str, schema: dict[type, dict[str, Any]]) -> dict[str, Any]:
    method, path = operation.split(" ")
    described: dict[str, Any] = {
        "operationId": f"{method.lower()}_{summary.replace(' ', '_')}",
        "summary": summary.capitalize(),
        "parameters": [
            *({"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in _in_path(path)),
            *(
                {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
                for name, meaning in {**PARAMETERS, **lists.PARAMETERS}.get(operation, {}).items()
            ),
        ],
        "responses": _responses(operation, schema),
    }
    if operation in BODIES:
        body = {"schema": schema[BODIES[operation]]}
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": body, "application/msgpack": body},
        }
    return described


def _responses(operation: str, schema: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if operation in _OK:
        good = {"200": {"description": "Done", "content": {"application/json": {"schema": schema[_OK[operation]]}}}}
    else:
        good = {"204": {"description": "Done"}}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refused = {
        s: {"description": _REFUSALS[s], "content": error}
        for s in _REFUSED.get(operation, _REFUSED[operation.split(" ")[0]])
    }
    return {**good, **refused}


def _in_path(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)
