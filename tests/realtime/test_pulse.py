"""The pulse: every delivery a point, in arrays; and what the store counted."""

from threading import Condition
from typing import Any

import socketio

from tests.conftest import Server
from tests.sending import post

DELIVERIES = 20


def test_each_of_many_rapid_deliveries_is_one_point(server: Server) -> None:
    points: list[dict[str, Any]] = []
    arrived = Condition()
    client = socketio.Client(reconnection=False)

    @client.on("pulse")
    def pulse(told: dict[str, Any]) -> None:
        with arrived:
            points.extend(told["points"])
            arrived.notify_all()

    client.connect(server.url, transports=["websocket"])
    client.call("join", {"room": "*"}, timeout=30)
    for number in range(DELIVERIES):
        post(server.url, "vendor_x", {f"k{number}": {"n": 1}, "always": {"n": number}})
    with arrived:
        assert arrived.wait_for(lambda: len(points) >= DELIVERIES, 30)
    client.disconnect()
    assert [point["offset"] for point in points] == [2 * number + 2 for number in range(DELIVERIES)]
    assert {(point["new"], point["changed"]) for point in points[1:]} == {(1, 1)}
