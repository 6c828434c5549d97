"""What the charts show, read from the store."""

from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa
from dash import html

from ingest_api.contract.errors import ContractError
from ingest_api.contract.source import CANDLES
from realtime.dashboard import figures
from realtime.dashboard.figures import Figure
from realtime.rooms import Room
from realtime.store import activity, chart, look
from realtime.store.moments import now
from realtime.store.store import Store
from realtime.store.views import SourceView
from realtime.tops import Tops

SHOWN = 3600 * 1000  # milliseconds of activity
STICKS = 120
TOP = 10
WORDS = {"waiting": "◌ waiting", "fresh": "● fresh", "stale": "◔ stale", "suspect": "◆ suspect", "failing": "⊠ failing"}


class Shown(Protocol):
    """What the page shows when it is opened."""

    def sources(self) -> list[SourceView]: ...

    def overview(self) -> tuple[Figure, Figure, Figure, Any]: ...

    def candles(
        self, source: str | None, symbol: str | None, window: str | None
    ) -> tuple[Figure, list[str], list[str]]: ...

    def top(self, source: str | None) -> Figure: ...


class Nothing:
    """Shows that there is nothing yet."""

    def sources(self) -> list[SourceView]:
        return []

    def overview(self) -> tuple[Figure, Figure, Figure, Any]:
        return figures.by_kind([], {}), figures.by_source([], {}, {}), figures.deliveries([], {}), health([])

    def candles(
        self, _source: str | None, _symbol: str | None, _window: str | None
    ) -> tuple[Figure, list[str], list[str]]:
        return figures.candlesticks(None), [], []

    def top(self, _source: str | None) -> Figure:
        return figures.top([], {})


class Content:
    """Reads what a chart needs, each in one go."""

    def __init__(self, store: Store, tops: Tops) -> None:
        self._store = store
        self._tops = tops

    def sources(self) -> list[SourceView]:
        return self._store.read(partial(look.source_list, epoch=self._store.epoch, now=now())).sources

    def overview(self) -> tuple[Figure, Figure, Figure, Any]:
        """Changes by kind, by source, deliveries, and the table of sources."""
        moment = now()

        def read(connection: sa.Connection) -> tuple[list[SourceView], figures.Activity]:
            """In one transaction: what is counted beyond these heads will be pushed, and counted then."""
            sources = look.source_list(connection, epoch=self._store.epoch, now=moment).sources
            return sources, activity.since(connection, moment - SHOWN)

        sources, rows = self._store.read(read)
        heads = {source.name: source.head for source in sources}
        titles = {source.name: source.title for source in sources}
        return (
            figures.by_kind(rows, heads),
            figures.by_source(rows, heads, titles),
            figures.deliveries(sources, heads),
            health(sources),
        )

    def table(self) -> Any:
        """The table of sources."""
        return health(self.sources())

    def candles(
        self, source: str | None, symbol: str | None, window: str | None
    ) -> tuple[Figure, list[str], list[str]]:
        """The candles, and the symbols and windows one may choose from."""
        if source is None:
            return figures.candlesticks(None), [], []
        view = self._store.read(
            partial(
                chart.candle_list,
                epoch=self._store.epoch,
                source=source,
                symbol=symbol,
                window=window,
                before=None,
                limit=STICKS,
            )
        )
        return figures.candlesticks(view), view.symbols, view.windows

    def top(self, source: str | None) -> Figure:
        """The entries of a source with the most of its leading number."""
        if source is None:
            return figures.top([], {})
        try:
            view = self._tops.look(self._tops.choose(Room.parse(source), None, "desc", TOP))
        except ContractError:  # no entry has a number
            return figures.top([], {})
        return figures.top(view.items, {"room": view.room, "by": view.by, "limit": view.limit})


def health(sources: list[SourceView]) -> Any:
    """The sources, worst first, as a table."""
    worst = ["failing", "suspect", "stale", "waiting", "fresh"]
    head = html.Thead(html.Tr([html.Th(word) for word in ("Source", "State", "Complete as of", "Entries", "Last run")]))
    body = [_row(source) for source in sorted(sources, key=lambda s: (worst.index(s.state), s.title))]
    return html.Table([head, html.Tbody(body)])


def _row(source: SourceView) -> Any:
    run = source.last_run
    return html.Tr(
        [
            html.Th(source.title, scope="row"),
            html.Td(WORDS[source.state], className=f"state {source.state}", title=source.reason or ""),
            html.Td(source.as_of[11:19] if source.as_of else "never"),
            html.Td(f"{source.present:,}"),
            html.Td(f"{run.state}, {run.seen} seen" if run else "none yet"),
        ]
    )


def candle_sources(sources: list[SourceView]) -> list[str]:
    """The sources that make candles: each has one beside it that holds them."""
    names = {source.name for source in sources}
    return [name for name in sorted(names) if f"{name}{CANDLES}" in names]
