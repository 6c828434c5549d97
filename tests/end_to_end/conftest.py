"""A real browser for whole-pipeline tests, started once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from scrapers.fetch.chromium import find

ARGUMENTS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--no-first-run",
    "--window-size=1440,900",
)


def open_browser(profile: Path) -> Chrome:
    """A new headless Chromium with an empty profile. Skips at home, fails in CI, where there is none."""
    binaries = find()
    if binaries.browser is None or binaries.driver is None:
        message = "Chromium and its driver are missing: apt-get install chromium chromium-driver"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    options = ChromeOptions()
    options.binary_location = binaries.browser
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}", *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(argument)
    return Chrome(options=options, service=ChromeService(binaries.driver), keep_alive=False)


@pytest.fixture(scope="session")
def chrome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The browser that all of these share."""
    driver = open_browser(tmp_path_factory.mktemp("chromium"))
    yield driver
    driver.quit()
