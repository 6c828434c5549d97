"""Candles over real sockets: followed by the rule, through a killed server, late batches and resends, and charted."""

import os
import random
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

import pytest
import requests

from fixtures.ticks.market import Trade, trades
from tests.conftest import ROOT, Server, eventually
from tests.reader import Reader
from tests.servers import RedisServer
from tests.several import break_off, many

__all__ = ["many"]

ROOM = "exchange/candles/1m"
OPENED = datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
APART = timedelta(milliseconds=40)  # between two trades


def configure(server: Server, **more: Any) -> None:
    aggregate = {"field": "price", "by": "symbol", "volume": "volume", "windows": ["1m", "5m"], **more}
    info = {"name": "exchange", "title": "Exchange", "aggregate": aggregate}
    requests.put(f"{server.url}/api/sources/exchange", json=info, timeout=30).raise_for_status()


def deliver(server: Server, batch_id: str, piece: list[Trade], **more: Any) -> None:
    entries = [
        {
            "key": trade.key,
            "data": {"symbol": trade.symbol, "price": str(trade.price), "volume": trade.volume},
            "observed_at": (OPENED + trade.number * APART).isoformat(),
        }
        for trade in piece
    ]
    batch = {"source": "exchange", "run_id": "run", "batch_id": batch_id, "entries": entries, **more}
    requests.post(f"{server.url}/api/entries", json=batch, timeout=30).raise_for_status()


def oracle(tape: list[Trade]) -> dict[tuple[str, int], dict[str, Any]]:
    """(symbol, minute) -> candle."""
    grouped: dict[tuple[str, int], list[Trade]] = defaultdict(list)
    for trade in tape:
        grouped[trade.symbol, trade.number * APART // timedelta(minutes=1)].append(trade)
    return {
        key: {
            "open": members[0].price,
            "high": max(trade.price for trade in members),
            "low": min(trade.price for trade in members),
            "close": members[-1].price,
            "count": len(members),
            "sum": sum(trade.price for trade in members),
            "volume": sum(trade.volume for trade in members),
        }
        for key, members in grouped.items()
    }


def told(reader: Reader) -> dict[tuple[str, int], dict[str, Any]]:
    found = {}
    for data in reader.data(ROOM).values():
        minute = (datetime.fromisoformat(data["start"]) - OPENED) // timedelta(minutes=1)
        exact = {name: Decimal(data[name]) for name in ("open", "high", "low", "close", "sum", "volume")}
        found[data["symbol"], minute] = {**exact, "count": data["count"]}
    return found


@pytest.mark.parametrize("on", ["server", "many"])
def test_a_follower_has_the_oracles_candles_through_kills_resends_and_late_batches(
    request: pytest.FixtureRequest, on: str
) -> None:
    server: Server = request.getfixturevalue(on)
    configure(server)
    tape = list(islice(trades(seed=7), 6000))
    pieces = [tape[start : start + 200] for start in range(0, len(tape), 200)]
    order = list(range(len(pieces)))
    chance = random.Random(7)
    chance.shuffle(order)
    with Reader(server.url) as one, Reader(server.url) as other:
        for reader in (one, other):
            reader.join(ROOM)
        for step, number in enumerate(order):
            deliver(server, f"batch-{number}", pieces[number])
            if step in (9, 19):
                break_off(server)
                for reader in (one, other):
                    reader.drop()
                    reader.rejoin(ROOM)
            deliver(server, f"batch-{number}", pieces[number])
            deliver(server, f"again-{number}", chance.sample(pieces[number], 50))
        expected = oracle(tape)
        for reader in (one, other):
            reader.wait(lambda reader=reader: told(reader) == expected, "the oracle's candles")
            assert reader.violations == []
            assert {change["topic"] for change in reader.changes[ROOM]} == {"1m"}


def test_the_chart_has_the_same_candles_as_arrays(module_server: Server) -> None:
    configure(module_server)
    tape = list(islice(trades(seed=8), 9000))
    deliver(module_server, "all", tape, as_of=(OPENED + 9000 * APART - APART).isoformat())
    url = f"{module_server.url}/api/candles"
    whole = requests.get(url, params={"source": "exchange", "symbol": "TIN"}, timeout=30).json()
    minutes = sorted(minute for symbol, minute in oracle(tape) if symbol == "TIN")
    assert whole["symbols"] == sorted({trade.symbol for trade in tape})
    assert (whole["windows"], whole["window"], whole["room"]) == (["1m", "5m"], "1m", ROOM)
    assert whole["count"] == [oracle(tape)["TIN", minute]["count"] for minute in minutes]
    assert [Decimal(text) for text in whole["sum"]] == [oracle(tape)["TIN", minute]["sum"] for minute in minutes]
    assert whole["closed"] == [True] * (len(minutes) - 1) + [False]
    asked = {"source": "exchange", "symbol": "TIN", "before": whole["start"][-1], "limit": 2}
    assert requests.get(url, params=asked, timeout=30).json()["start"] == whole["start"][-3:-1]
    fives = requests.get(url, params={"source": "exchange", "window": "5m"}, timeout=30).json()
    assert (fives["symbol"], sum(fives["count"])) == ("ALU", sum(trade.symbol == "ALU" for trade in tape))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"source": "nobody"}, 404),
        ({"source": "exchange", "limit": "²"}, 400),
        ({"source": "exchange", "limit": "9" * 5000}, 400),
        ({"source": "exchange", "before": "yesterday"}, 400),
        ({"source": "exchange", "before": "2026-11-20T07:00:00"}, 400),
        ({"source": "exchange", "before": "2026-11-20T07:00:00Z", "limit": "5"}, 200),
    ],
)
def test_a_wrong_question_is_told_why(module_server: Server, query: dict[str, str], status: int) -> None:
    configure(module_server)
    answer = requests.get(f"{module_server.url}/api/candles", params=query, timeout=30)
    assert answer.status_code == status, answer.text
    assert status == 200 or answer.json()["error"]["message"]


def exchange(server: Server, batches: int, **environment: str) -> subprocess.Popen[bytes]:
    """The demo's exchange, 2,000 trades a second."""
    command = [sys.executable, "-m", "fixtures.ticks", "--rate", "2000", "--every", "0.1", "--count", str(batches)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PORTALWIRE_INGEST_URL": server.url, **environment})


def stored(server: Server) -> int:
    sources = requests.get(f"{server.url}/api/sources", timeout=30).json()["sources"]
    return next((source["head"] for source in sources if source["name"] == "vendor_ticks"), 0)


def counted(server: Server, window: str) -> int:
    """Trades in all candles of a window."""
    query = {"source": "vendor_ticks.candles", "topic": window, "limit": "1000"}
    entries = requests.get(f"{server.url}/api/entries", params=query, timeout=30).json()["entries"]
    return sum(entry["data"]["count"] for entry in entries)


def test_the_exchange_loses_and_doubles_nothing_when_the_server_is_killed(server: Server) -> None:
    process = exchange(server, 30)
    for _ in range(2):
        before = stored(server)
        eventually(lambda before=before: stored(server) > before + 500)
        server.kill()
        server.start()
    assert process.wait(timeout=60) == 0
    trades_stored = stored(server)
    assert trades_stored > 1000
    assert counted(server, "1m") == counted(server, "5m") == trades_stored


def test_the_exchange_delivers_through_redis(server: Server, redis_server: RedisServer) -> None:
    server.stop()
    server.environment = {"PORTALWIRE_REDIS_URL": redis_server.url}
    server.start()
    process = exchange(server, 20, PORTALWIRE_REDIS_URL=redis_server.url)
    assert process.wait(timeout=60) == 0
    eventually(lambda: stored(server) > 1000)
    eventually(lambda: counted(server, "1m") == counted(server, "5m") == stored(server))
