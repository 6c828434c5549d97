"""The recorded minute of `make run`: it is one, it shows something happen, and `make record` makes another."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from scrapers.fetch.chromium import find
from tests.conftest import ROOT

MOST = 1_500_000  # bytes of a picture in a README


def frames(file: Path) -> tuple[int, int, int]:
    """How many there are, how many of them are unlike the one before, and their milliseconds."""
    with Image.open(file) as film:
        shown, lasting = [], 0
        for number in range(film.n_frames):
            film.seek(number)
            shown.append(film.convert("RGB").tobytes())
            lasting += film.info["duration"]
        return film.n_frames, sum(one != other for one, other in pairwise(shown)), lasting


def test_the_recorded_minute_is_one() -> None:
    count, changes, lasting = frames(ROOT / "docs" / "live.webp")
    assert count == 120
    assert changes > 40
    assert lasting == 60_000
    assert (ROOT / "docs" / "live.webp").stat().st_size < MOST


@pytest.mark.skipif(find().driver is None, reason="there is no Chromium with its driver")
def test_another_is_recorded(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "record.py"), "2", str(tmp_path / "live.webp")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    _, _, lasting = frames(tmp_path / "live.webp")
    assert lasting == 2000
