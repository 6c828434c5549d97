"""Sources of the demo site, as the project's own schedules.yaml has them."""

import pytest

from fixtures.demo.server import PASSWORD, USER
from scrapers.config import load

CREDENTIALS = {"PORTALWIRE_DEMO_USER": USER, "PORTALWIRE_DEMO_PASSWORD": PASSWORD}


@pytest.fixture
def credentials():
    return dict(CREDENTIALS)


@pytest.fixture
def sources(demo, pytestconfig):
    environ = CREDENTIALS | {"PORTALWIRE_DEMO_PORT": str(demo.port)}
    return load(pytestconfig.rootpath / "schedules.yaml", environ).sources
