"""The Dash app on the Flask server: what is chosen is drawn here from the store, what happens in the browser."""

from pathlib import Path
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, dcc, html
from dash.exceptions import DependencyException
from flask import Flask, Response, has_request_context, redirect, request

from ingest_api.contract.errors import NotFound
from ingest_api.http import refusal
from realtime.dashboard.asked import check
from realtime.dashboard.content import Content, Nothing, Shown, candle_sources

PATH = "/dashboard/"
LAYOUT, CALLBACKS = f"{PATH}_dash-layout", f"{PATH}_dash-update-component"
SIGN_IN = "/?to=charts"  # see signin.js
ASSETS = Path(__file__).with_name("assets")

TEMPLATE = """<!doctype html>
<html lang="en" data-theme="auto">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>{%title%}</title>
  {%favicon%}
  <link rel="stylesheet" href="/static/css/tokens.css">
  <link rel="stylesheet" href="/static/css/base.css">
  <script src="/static/js/early.js"></script>
  {%css%}
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


def mount(flask: Flask, content: Content) -> None:
    """Puts the charts at /dashboard, with a content policy that lets nothing in from elsewhere."""
    dash = Dash(
        "portalwire",
        server=flask,  # type: ignore[arg-type]
        routes_pathname_prefix=PATH,
        requests_pathname_prefix=PATH,
        assets_folder=str(ASSETS),
        serve_locally=True,
        index_string=TEMPLATE,
        title="Charts · Portalwire",
        update_title="",
        compress=False,
    )
    # Dash wants a layout at the start and at the first request, whatever that is for: these need no store
    dash.layout = lambda: _layout(content if has_request_context() and request.path == LAYOUT else Nothing())
    _connect(dash, content)
    _defend(flask, dash)
    policy = "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' {' '.join(dash.csp_hashes())}",
            "style-src 'self' 'unsafe-inline'",  # Plotly sets styles as it draws
            "img-src 'self' data: blob:",
            "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ]
    )

    @flask.after_request
    def invite(response: Response) -> Response:
        """A person who may not see them signs in on the page, which leads back here; a program is told why."""
        is_person = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if is_person and request.path in (PATH, PATH.rstrip("/")) and response.status_code in (401, 403):
            return redirect(SIGN_IN, 303)  # type: ignore[return-value]
        return response

    @flask.after_request
    def allow(response: Response) -> Response:
        if request.path.startswith(PATH):
            response.headers["Content-Security-Policy"] = policy
        return response


def _defend(flask: Flask, dash: Dash) -> None:
    """Answers what is none of ours before Dash falls over it."""

    @flask.before_request
    def look() -> None:
        if request.path == CALLBACKS and request.method == "POST":
            check(dash, request.get_json())

    @flask.errorhandler(DependencyException)
    def no_such_package(_error: DependencyException) -> Response:
        return refusal(NotFound())


def _layout(content: Shown) -> Any:
    """The page, as `content` shows it."""
    sources = content.sources()
    names = [source.name for source in sources]
    kinds, lines, points, table = content.overview()
    with_candles = next(iter(candle_sources(sources)), None)
    candles, symbols, windows = content.candles(with_candles, None, None)
    leading = next((source.name for source in sources if source.lead and not source.quiet), next(iter(names), None))
    return html.Div(
        [
            dcc.Store(id="connected"),
            dcc.Store(id="seen"),
            dcc.Store(id="followed"),
            html.Header(
                [
                    html.A("Portalwire", href="/", className="mark"),
                    html.Nav([html.A("Live", href="/"), html.A("Health", href="/#/health"), html.Span("Charts")]),
                    html.P("Drawn from the store", id="line", role="status"),
                ]
            ),
            html.Main(
                [
                    _chart("Changes a minute, by kind", "kinds", kinds),
                    _chart("Changes a minute, by source", "lines", lines),
                    _chart("Deliveries as they come", "points", points),
                    _chart(
                        "Candles",
                        "candles",
                        candles,
                        _choice("candle-source", "Source", candle_sources(sources), with_candles),
                        _choice("symbol", "Symbol", symbols, next(iter(symbols), None)),
                        _choice("window", "Window", windows, next(iter(windows), None)),
                    ),
                    _chart("Top entries", "top", content.top(leading), _choice("top-source", "Source", names, leading)),
                    html.Section([html.H2("Health"), html.Div(table, id="health")]),
                ]
            ),
        ]
    )


def _chart(title: str, name: str, figure: Any, *choices: Any) -> Any:
    heading = html.Div([html.H2(title), *choices], className="heading")
    graph = dcc.Graph(id=name, figure=figure, config={"displayModeBar": False, "responsive": True})
    return html.Section([heading, graph])


def _choice(name: str, label: str, options: list[str], value: str | None) -> Any:
    menu = dcc.Dropdown(id=name, options=options, value=value, clearable=False, searchable=len(options) > 8)
    return html.Label([html.Span(label), menu], className="choice")


def _connect(dash: Dash, content: Content) -> None:
    @dash.callback(
        Output("kinds", "figure"),
        Output("lines", "figure"),
        Output("points", "figure"),
        Output("health", "children"),
        Input("connected", "data"),
        prevent_initial_call=True,
    )
    def overview(_times: int) -> Any:
        """Everything from the store again, each time the line is there: what was pushed before may have been missed."""
        return content.overview()

    @dash.callback(
        Output("candles", "figure"),
        Output("symbol", "options"),
        Output("window", "options"),
        Input("candle-source", "value"),
        Input("symbol", "value"),
        Input("window", "value"),
        Input("connected", "data"),
        prevent_initial_call=True,
    )
    def candles(source: str | None, symbol: str | None, window: str | None, _times: int) -> Any:
        return content.candles(source, symbol, window)

    @dash.callback(
        Output("top", "figure"), Input("top-source", "value"), Input("connected", "data"), prevent_initial_call=True
    )
    def top(source: str | None, _times: int) -> Any:
        return content.top(source)

    @dash.callback(Output("health", "children", allow_duplicate=True), Input("seen", "data"), prevent_initial_call=True)
    def health(_times: int) -> Any:
        return content.table()

    dash.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("portalwire", "follow"),
        Output("followed", "data"),
        Input("kinds", "figure"),
        Input("candles", "figure"),
        Input("top", "figure"),
    )
