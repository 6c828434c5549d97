"""Eight real portals, from their recorded pages through delivery, store and feed to a program that joined."""

from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from scrapers import execute
from scrapers.config import Settings
from tests.conftest import Server
from tests.reader import Reader
from tests.real_portals import NAMES, SCHEDULES, compare, real_portal


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_arrives_and_none_more(name: str, module_server: Server, tmp_path: Path) -> None:
    real = real_portal(name, tmp_path)
    settings = Settings(schedules=SCHEDULES, var=tmp_path / "var", ingest_url=module_server.url)
    first, again = (
        execute.deliver(real.source, real.portal, real.visit(), settings, f"{name}-{run}", patience=10)
        for run in (1, 2)
    )
    assert (first.exit_code, again.exit_code) == (0, 0)

    with Reader(module_server.url) as reader:
        answer = reader.join(name)
        reader.reach(name, answer["offset"])
        reader.wait(lambda: name in reader.watermarks)
        seen = list(reader.entries[name].values())
        assert reader.violations == []
        assert reader.watermarks[name]["state"] == "fresh"
    compare(real.expected, seen)
    for entry in (seen[0], seen[-1]):
        history = f"{module_server.url}/api/entries/{name}/{quote(entry['key'], safe='')}/history"
        (version,) = requests.get(history, timeout=30).json()["versions"]
        assert version["data"] == entry["data"]
    assert answer["offset"] == len(real.expected)  # the second run changed nothing
