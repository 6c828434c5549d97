"""A scraper before a server that asks for a token: what it says, what it keeps, and that nothing is lost."""

import requests

from tests.conftest import Server
from tests.scrapers.rig import Rig
from tests.tokens import OPERATOR, bearer, locked, token  # noqa: F401


def test_without_a_fitting_token_everything_is_kept_until_there_is_one(rig: Rig, locked: Server) -> None:  # noqa: F811
    rig.environ["PORTALWIRE_INGEST_URL"] = locked.url
    rig.schedule("every: 1h")
    for number, (given, words) in enumerate(
        [
            ("", "401"),
            ("nonsense", "401: that is not a token of this server"),
            (token("*", ingest=["other"]), "403: this token may not deliver 'shop': it may deliver other"),
        ]
    ):
        rig.shows("1.50", f"{number}.75")
        rig.environ["PORTALWIRE_TOKEN"] = given
        ran = rig.run("shop")
        assert ran.returncode == 3, ran.stderr
        assert words in ran.stderr
        assert "set PORTALWIRE_TOKEN to a token that may deliver this source" in ran.stderr
    rig.shows("1.50", "9.00")
    rig.environ["PORTALWIRE_TOKEN"] = token(ingest=["shop"])
    ran = rig.run("shop")
    assert ran.returncode == 0, ran.stderr
    entries = requests.get(f"{locked.url}/api/entries?source=shop", headers=bearer(OPERATOR), timeout=30).json()
    assert {entry["key"]: entry["data"]["price"] for entry in entries["entries"]} == {"k0": "1.50", "k1": "9.00"}
    history = f"{locked.url}/api/entries/shop/k1/history"
    versions = requests.get(history, headers=bearer(OPERATOR), timeout=30).json()["versions"]
    assert [version["data"]["price"] for version in versions] == ["9.00", "2.75", "1.75", "0.75"]
