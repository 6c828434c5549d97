"""What can be run, and that one broken portal harms no other."""

from pathlib import Path

import pytest

from scrapers.catalogue import Catalogue
from scrapers.errors import ConfigError, PortalError, UnknownSource

PORTAL = """
from scrapers import portal

@portal("{name}", start="https://{name}.example/")
def scrape(visit):
    yield
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "shop.py").write_text(PORTAL.format(name="shop"))
    (folder / "market.py").write_text(PORTAL.format(name="market"))
    (folder / "broken.py").write_text("import nothing_of_that_name\n")
    path = tmp_path / "schedules.yaml"
    path.write_text(
        "portals: [mine]\n"
        "sources:\n"
        "  shop: {every: 1h, start: 'https://other.example/'}\n"
        "  broken: {}\n"
        "  typo: {portal: shopp}\n"
    )
    return Catalogue.read(path)


def test_a_source_and_its_portal(catalogue: Catalogue) -> None:
    assert catalogue.portal(catalogue.source("shop")).start == "https://other.example/"
    assert catalogue.source("market").every is None
    assert catalogue.portal(catalogue.source("market")).start == "https://market.example/"
    assert "market" in catalogue.names()
    assert catalogue.names().count("shop") == 1


def test_a_broken_file_is_blamed_for_its_own_portal_only(catalogue: Catalogue) -> None:
    with pytest.raises(PortalError, match="nothing_of_that_name"):
        catalogue.portal(catalogue.source("broken"))
    with pytest.raises(ConfigError, match=r"typo needs a portal named 'shopp': did you mean shop\?.*broken.py"):
        catalogue.portal(catalogue.source("typo"))
    with pytest.raises(UnknownSource, match=r"no source named 'markt': did you mean market\?"):
        catalogue.source("markt")


def test_a_schedule_may_be_missing_where_nobody_named_it(tmp_path: Path) -> None:
    assert Catalogue.read(tmp_path / "none.yaml", optional=True).schedules.sources == {}
    with pytest.raises(ConfigError, match="there is no such file"):
        Catalogue.read(tmp_path / "none.yaml")
