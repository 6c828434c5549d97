"""From a portal into the real server's store, through its kill."""

from typing import Any

import requests

from tests.conftest import Server
from tests.scrapers.rig import Rig


def stored(server: Server, path: str) -> Any:
    answer = requests.get(server.url + path, timeout=10)
    answer.raise_for_status()
    return answer.json()


def prices(server: Server) -> dict[str, str]:
    entries = stored(server, "/api/entries?source=shop&limit=100")["entries"]
    return {entry["key"]: entry["data"]["price"] for entry in entries if entry["present"]}


def test_nothing_is_lost_or_doubled_when_the_server_is_killed(rig: Rig, server: Server) -> None:
    rig.environ["PORTALWIRE_INGEST_URL"] = server.url
    rig.schedule("every: 1h", "title: The shop", "removal: {misses: 1, hold_above: 90%}", "expect: {required: [name]}")
    ran = rig.run("shop")
    assert "3 new, 0 changed, 0 removed, 0 unchanged, 0 rejected" in ran.stderr, ran.stderr
    server.kill()
    rig.shows("1.50", "2.75")
    assert rig.run("shop", "--patience", "0").returncode == 3
    rig.shows("1.50", "2.80", "9.00")
    server.start()
    ran = rig.run("shop")
    assert ran.returncode == 0, ran.stderr
    assert "1 new, 1 changed, 0 removed, 1 unchanged, 0 rejected" in ran.stderr
    assert prices(server) == {"k0": "1.50", "k1": "2.80", "k2": "9.00"}
    history = [stored(server, f"/api/entries/shop/k{number}/history")["versions"] for number in range(3)]
    offsets = sorted(version["offset"] for versions in history for version in versions)
    assert offsets == list(range(1, 8))  # 3 new; changed, removed; changed, new
    source = stored(server, "/api/sources/shop")
    assert (source["title"], source["state"], source["schedule"]) == ("The shop", "fresh", "every 1h")
    assert [run["state"] for run in source["runs"]] == ["complete"] * 3


def test_an_entry_that_does_not_fit_becomes_a_dead_letter(rig: Rig, server: Server) -> None:
    rig.environ["PORTALWIRE_INGEST_URL"] = server.url
    rig.scraper(
        "from scrapers import Entry, portal\n"
        '@portal("shop", start="{url}/list")\n'
        "def scrape(visit):\n"
        "    visit()\n"
        '    yield Entry(key="good", data={{"price": "1"}})\n'
        '    yield Entry(key="bad", data={{"price": {{1, 2}}}})\n'
    )
    ran = rig.run("shop")
    assert ran.returncode == 0, ran.stderr
    assert "1 new, 0 changed, 0 removed, 0 unchanged, 1 rejected" in ran.stderr
    [dead] = stored(server, "/api/dead-letters?source=shop")["dead_letters"]
    assert dead["key"] == "bad"
    assert "data holds a set" in dead["payload"]
