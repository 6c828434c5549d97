"""What a server says of itself, and what the system says of it."""

from collections import defaultdict
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import Server


def numbers(server: Server) -> dict[str, list[float]]:
    """Its metrics by name, without `portalwire_`: one for each process."""
    text = requests.get(f"{server.url}/metrics", timeout=60).text
    found: dict[str, list[float]] = defaultdict(list)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name.removeprefix("portalwire_")].append(sample.value)
    return found


def memory(server: Server) -> int:
    """Private memory of its processes, in bytes."""
    return sum(_private(pid) for pid in tree(server.pid))


def tree(pid: int) -> list[int]:
    """A process, and all that it started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in tree(int(child)))]


def _private(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))
