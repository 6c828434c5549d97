"""Every portal there is, read from its recorded pages. One without a recording fails: see fixtures/recordings.py."""

import subprocess
import sys

import pytest

from fixtures.recordings import EXPECTED, FOLDER, expected, read
from scrapers.portal import discover
from tests.conftest import ROOT

PORTALS = discover()


@pytest.mark.parametrize("name", PORTALS)
def test_recorded_pages_give_the_expected_entries(name):
    folder = FOLDER / name
    assert (folder / EXPECTED).is_file(), f"{name} has no recorded pages and expected entries in {folder}"
    assert read(PORTALS[name], folder) == expected(folder)


def test_no_recording_without_its_portal():
    assert {folder.name for folder in FOLDER.iterdir() if folder.is_dir()} == set(PORTALS)


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ("--help", 0, "recorded pages"),
        ("vendor_z", 1, "there is no portal 'vendor_z': did you mean vendor_"),
    ],
)
def test_the_command_explains_itself(given, code, words):
    command = [sys.executable, "-m", "fixtures.recordings", given]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == code
    assert words in done.stdout + done.stderr
