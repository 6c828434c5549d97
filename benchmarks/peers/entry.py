"""The event that every server of the fan-out benchmark sends, and when. Standard library only: peers have no more."""

import time
from collections.abc import Callable
from typing import Any


def entry(seq: int) -> dict[str, Any]:
    """About 300 bytes, with its number and when it was made (CLOCK_MONOTONIC, ns)."""
    return {
        "id": f"e-{seq:08}",
        "source": "example",
        "title": f"Entry number {seq} of the feed, with a usual headline",
        "url": f"https://example.org/news/2026/11/22/entry-{seq}.html",
        "summary": "A short summary of the entry, one sentence long, as it is shown in the list.",
        "seq": seq,
        "t": time.monotonic_ns(),
    }


def emit_all(
    count: int, rate: float, turns: bool, emit: Callable[[dict[str, Any]], Any], sleep: Callable[[float], Any]
) -> None:
    """`count` entries: `rate` a second, or one a turn of the loop, or all at once."""
    began = time.monotonic()
    for seq in range(count):
        wait = began + seq / rate - time.monotonic() if rate else 0
        if wait > 0:
            sleep(wait)
        emit(entry(seq))
        if turns and not rate:
            sleep(0)
