"""The recorded minute of `make run`: it is one, it shows something happen, and `make record` makes another."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from scrapers.fetch.chromium import find
from tests.conftest import ROOT

FILM = ROOT / "docs" / "live.webp"
ENTRIES = (186, 188, 830, 525)  # of a picture: the table without the clock, the claim and the wire, which always move
NOISE = 128  # of 255
MOST = 1_500_000  # bytes of a picture in a README


def frames(file: Path) -> tuple[int, int, int]:
    """How many there are, in how many of them the entries are not those of the one before, and their milliseconds."""
    with Image.open(file) as film:
        shown, lasting = [], 0
        for number in range(film.n_frames):
            film.seek(number)
            shown.append(film.convert("RGB").crop(ENTRIES))
            lasting += film.info["duration"]
        return film.n_frames, sum(differ(one, other) for one, other in pairwise(shown)), lasting


def differ(one: Image.Image, other: Image.Image) -> bool:
    """As text differs that is another, not as the same text compressed anew does."""
    return any(most > NOISE for _, most in ImageChops.difference(one, other).getextrema())


def test_the_recorded_minute_is_one() -> None:
    count, changes, lasting = frames(FILM)
    assert count == 120
    assert changes >= 10 - 2, "one vendor is read every 10 s, the other every 15 s; both may come within one frame"
    assert lasting == 60_000
    assert FILM.stat().st_size < MOST


def test_a_film_of_a_clock_alone_shows_nothing_happen(tmp_path: Path) -> None:
    with Image.open(FILM) as film:
        entries = film.convert("RGB").crop(ENTRIES)
        still = []
        for number in range(30):
            film.seek(number)
            still.append(film.convert("RGB"))
            still[-1].paste(entries, ENTRIES)
    still[0].save(tmp_path / "still.webp", save_all=True, append_images=still[1:], duration=500, quality=60)
    count, changes, _ = frames(tmp_path / "still.webp")
    assert (count, changes) == (30, 0)


@pytest.mark.skipif(find().driver is None, reason="there is no Chromium with its driver")
def test_another_is_recorded(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts" / "record.py"), "2", str(tmp_path / "live.webp")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout + done.stderr
    _, _, lasting = frames(tmp_path / "live.webp")
    assert lasting == 2000
