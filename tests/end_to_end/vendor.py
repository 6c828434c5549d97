"""What the tests of the page say of a source."""

from typing import Any

import requests

from tests.conftest import Server


def beam(price: str, name: str = "Beam HEB 200", **more: str) -> dict[str, str]:
    return {"name": name, "price": price, "currency": "EUR", **more}


def configure(server: Server, source: str = "vendor_x", **more: Any) -> None:
    info = {
        "name": source,
        "title": "Vendor X" if source == "vendor_x" else source,
        "schedule": "every 30 s",
        "every": 30,
        "lead": "price",
        "fields": {"price": {"unit": "EUR", "num": True}},
        "removal": {"misses": 1, "hold_above": 0.5},
        **more,
    }
    requests.put(f"{server.url}/api/sources/{source}", json=info, timeout=10).raise_for_status()
