"""The document of the API says of every route what it takes and answers, and nothing that is not so."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from realtime import openapi
from realtime.app import App
from realtime.errors import Undescribed
from realtime.openapi import describe
from realtime.settings import Settings

WITHOUT_CONTENT = {
    ("/api/runs", "post"),
    ("/api/sources/{name}", "put"),
    ("/api/session", "delete"),
    ("/api/tokens/revoke", "post"),
}
WITHOUT_BODY = {("/api/holds/{hold}/approve", "post"), ("/api/holds/{hold}/discard", "post")}


@pytest.fixture
def flask(tmp_path: Path) -> Iterator[Flask]:
    app = App(Settings(database_url=f"sqlite:///{tmp_path / 'described.db'}"))
    yield app.flask
    app.close()


@pytest.fixture
def document(flask: Flask) -> dict[str, Any]:
    return describe(flask, "1")


def operations(document: dict[str, Any]) -> dict[tuple[str, str], Any]:
    return {(path, method): said for path, methods in document["paths"].items() for method, said in methods.items()}


def test_every_route_is_described(flask: Flask, document: dict[str, Any]) -> None:
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in flask.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert len(routes) > 15
    assert operations(document).keys() == routes


def test_what_each_takes_and_answers(document: dict[str, Any]) -> None:
    said = operations(document)
    assert {name for name, operation in said.items() if "204" in operation["responses"]} == WITHOUT_CONTENT
    assert {
        name for name, operation in said.items() if "200" in operation["responses"]
    } == said.keys() - WITHOUT_CONTENT
    writing = {name for name in said if name[1] in ("post", "put")}
    assert {name for name, operation in said.items() if "requestBody" in operation} == writing - WITHOUT_BODY
    body = said["/api/entries", "post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Batch"}


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    references = json.dumps(document).split('"$ref": "#/components/schemas/')[1:]
    assert {reference.split('"')[0] for reference in references} <= document["components"]["schemas"].keys()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_a_route_of_which_nothing_was_said_is_an_error(method: str) -> None:
    app = Flask(__name__)
    app.add_url_rule("/api/new", view_func=lambda: "", endpoint="new", methods=[method])
    with pytest.raises(Undescribed, match=f"{method} /api/new "):
        describe(app, "1")


def test_so_is_one_of_which_it_was_not_said_what_it_takes(monkeypatch: pytest.MonkeyPatch, flask: Flask) -> None:
    monkeypatch.delitem(openapi.BODIES, "POST /api/runs")
    with pytest.raises(Undescribed, match="POST /api/runs "):
        describe(flask, "1")
