"""The HTTP views: what is there, what happened, and the decisions of people."""

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from flask import Blueprint, Response

from ingest_api.contract.errors import NotFound
from ingest_api.http import answer, grant
from realtime.intake import StoreIntake
from realtime.query import asked, limit
from realtime.store import held, look, views
from realtime.store.holding import Decision
from realtime.store.moments import now
from realtime.store.store import Store

LIMIT, MOST = 100, 1000  # rows of a page: unless told, and at most

ANSWERS: dict[str, type] = {
    "GET /api/sources": views.SourcesView,
    "GET /api/sources/{name}": views.SourceView,
    "GET /api/entries": views.EntriesView,
    "GET /api/entries/{source}/{key}/history": views.HistoryView,
    "GET /api/runs": views.RunsView,
    "GET /api/dead-letters": views.DeadLettersView,
    "GET /api/holds": views.HoldsView,
    "POST /api/holds/{hold}/approve": views.DecisionView,
    "POST /api/holds/{hold}/discard": views.DecisionView,
}
"""What each operation here answers, for OpenAPI."""

PARAMETERS: dict[str, dict[str, str]] = {
    "GET /api/entries": {
        "source": "only of this source",
        "topic": "only of this topic",
        "key": "only with this key",
        "q": "only with this text, whatever its case, in the key or in a text or number of the data",
        "limit": f"rows of a page, at most {MOST}",
        "after": "the `next` of the page before",
    },
    "GET /api/runs": {"source": "only of this source", "limit": "rows", "after": "the `next` of the page before"},
    "GET /api/dead-letters": {
        "source": "only of this source",
        "limit": "rows",
        "after": "the `next` of the page before",
    },
    "GET /api/holds": {"source": "only of this source"},
    "GET /api/batches/{source}/{batch_id}": {
        "digest": "BLAKE2b-128 of the batch as it was sent, decompressed: another content under this name is refused"
    },
}
"""The query of each operation here, for OpenAPI."""


def api(store: Store, intake: StoreIntake) -> Blueprint:
    """The blueprint of the views on `store`."""
    blueprint = Blueprint("api", __name__)

    def shown(query: Callable[[sa.Connection], Any]) -> Response:
        return answer(store.read(query))

    def decide(hold: int, decision: Decision) -> Response:
        if hold > look.LARGEST:
            raise NotFound(f"there is no hold {hold}")
        grant().require_join(store.read(partial(held.source_of, hold=hold)))
        return answer(views.DecisionView(removed=intake.decide(hold, decision)))

    @blueprint.get("/api/sources")
    def sources() -> Response:
        view = store.read(partial(look.source_list, epoch=store.epoch, now=now()))
        mine = [source for source in view.sources if grant().may_join(source.name)]
        return answer(msgspec.structs.replace(view, sources=mine))

    @blueprint.get("/api/sources/<name>")
    def source(name: str) -> Response:
        return shown(partial(look.one_source, epoch=store.epoch, now=now(), name=name))

    @blueprint.get("/api/entries")
    def entries() -> Response:
        query = partial(
            look.entry_list,
            source=asked("source"),
            topic=asked("topic"),
            key=asked("key"),
            text=asked("q"),
            after=asked("after"),
            limit=_limit(),
        )
        return shown(query)

    @blueprint.get("/api/entries/<source>/<text:key>/history")
    def history(source: str, key: str) -> Response:
        return shown(partial(look.history, source=source, key=key))

    @blueprint.get("/api/runs")
    def runs() -> Response:
        return shown(partial(look.run_list, source=asked("source"), after=asked("after"), limit=_limit()))

    @blueprint.get("/api/dead-letters")
    def dead_letters() -> Response:
        return shown(partial(look.dead_letter_list, source=asked("source"), after=asked("after"), limit=_limit()))

    @blueprint.get("/api/holds")
    def holds() -> Response:
        view = store.read(partial(held.hold_list, source=asked("source")))
        return answer(views.HoldsView(holds=[hold for hold in view.holds if grant().may_join(hold.source)]))

    @blueprint.post("/api/holds/<int:hold>/approve")
    def approve(hold: int) -> Response:
        return decide(hold, "approved")

    @blueprint.post("/api/holds/<int:hold>/discard")
    def discard(hold: int) -> Response:
        return decide(hold, "discarded")

    return blueprint


def _limit() -> int:
    return limit(LIMIT, MOST)
