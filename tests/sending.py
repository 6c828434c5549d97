"""Batches over HTTP, as a script would send them."""

import itertools
from typing import Any

import requests

_number = itertools.count(1)


def post(url: str, source: str, data: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Posts `{key: data}` (or `{key: (topic, data)}`) as one batch; returns the receipt."""
    entries = [
        {"key": key, "topic": value[0], "data": value[1]} if isinstance(value, tuple) else {"key": key, "data": value}
        for key, value in data.items()
    ]
    number = next(_number)
    batch = {"source": source, "run_id": f"run-{number}", "batch_id": f"batch-{number}", "entries": entries, **fields}
    answer = requests.post(f"{url}/api/entries", json=batch, timeout=30)
    answer.raise_for_status()
    receipt: dict[str, Any] = answer.json()
    return receipt
