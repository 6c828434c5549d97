"""The HTTP views of top lists and candles."""

from datetime import datetime
from functools import partial

from flask import Blueprint, Response, request

from ingest_api.contract.errors import ContractError
from ingest_api.contract.moment import bounded
from ingest_api.contract.source import CANDLES
from ingest_api.http import answer, grant
from realtime import query
from realtime import tops as top_lists
from realtime.store import chart
from realtime.store.moments import millis
from realtime.store.store import Store
from realtime.tops import Order, Tops, TopView

SHOWN, MOST_SHOWN = 200, 5000  # candles of one answer: unless told, and at most
ORDERS: dict[str, Order] = {"desc": "desc", "asc": "asc"}

ANSWERS: dict[str, type] = {"GET /api/top": TopView, "GET /api/candles": chart.CandlesView}

PARAMETERS: dict[str, dict[str, str]] = {
    "GET /api/top": {
        "source": "of this source",
        "topic": "only of this topic",
        "by": "the field with the numbers; absent: the one that the source leads with",
        "order": "desc, the highest first, or asc",
        "limit": f"entries, at most {top_lists.MOST}",
    },
    "GET /api/candles": {
        "source": "the source whose entries the candles are made of",
        "symbol": "absent: the first one",
        "window": "1m; absent: the first one of the source",
        "before": "only candles that begin before this moment (ISO 8601)",
        "limit": f"candles, at most {MOST_SHOWN}",
    },
}


def lists(store: Store, tops: Tops) -> Blueprint:
    """The blueprint of these views."""
    blueprint = Blueprint("lists", __name__)

    @blueprint.get("/api/top")
    def top() -> Response:
        order = ORDERS.get(request.args.get("order", "desc"))
        if order is None:
            raise ContractError("order is desc or asc")
        limit = query.limit(top_lists.USUAL, top_lists.MOST)
        return answer(tops.look(tops.choose(query.room(), request.args.get("by"), order, limit)))

    @blueprint.get("/api/candles")
    def candles() -> Response:
        listing = partial(
            chart.candle_list,
            epoch=store.epoch,
            source=query.source(),
            symbol=request.args.get("symbol"),
            window=request.args.get("window"),
            before=_before(),
            limit=query.limit(SHOWN, MOST_SHOWN),
        )
        view = store.read(listing)
        grant().require_join(view.source + CANDLES, view.window)  # which one, where the query left it to us
        return answer(view)

    return blueprint


def _before() -> int | None:
    asked = request.args.get("before")
    if not asked:
        return None
    try:
        moment = datetime.fromisoformat(asked)
        if moment.tzinfo is None:
            raise ContractError("before is a moment with its offset from UTC, as 2026-11-22T07:31:00Z")
        return millis(bounded("before", moment))
    except ValueError as error:
        raise ContractError(f"before is a moment as 2026-11-22T07:31:00Z: {error}") from error
