"""Every portal there is, read from its recorded pages. One without a recording fails: see fixtures/recordings.py."""

import pytest

from fixtures.recordings import EXPECTED, FOLDER, expected, read
from scrapers.portal import discover

PORTALS = discover()


@pytest.mark.parametrize("name", PORTALS)
def test_recorded_pages_give_the_expected_entries(name):
    folder = FOLDER / name
    assert (folder / EXPECTED).is_file(), f"{name} has no recorded pages and expected entries in {folder}"
    assert read(PORTALS[name], folder) == expected(folder)


def test_no_recording_without_its_portal():
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == set(PORTALS)
