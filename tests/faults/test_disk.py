"""The disk of the faults is one: it keeps what was synced, and nothing else."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.disk import SECTOR, Disk


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    disk = Disk(tmp_path)
    disk.sync()
    return disk


def run(disk: Disk, program: str) -> str:
    """What a program prints, for which `here` is the disk and `sync(path)` syncs a file or a folder."""
    start = "import os; from pathlib import Path\nhere = Path.cwd()\n"
    start += "def sync(path): file = os.open(path, os.O_RDONLY); os.fsync(file); os.close(file)\n"
    environment = {**os.environ, **disk.environment}
    command = [sys.executable, "-c", start + program]
    return subprocess.run(command, cwd=disk.folder, env=environment, text=True, capture_output=True, check=True).stdout


def contents(disk: Disk) -> dict[str, str]:
    return {path.name: path.read_text() for path in disk.folder.rglob("*") if path.is_file()}


def test_what_was_not_synced_is_lost(disk: Disk) -> None:
    run(
        disk,
        """
(here / "kept").write_text("one"); sync(here / "kept")
(here / "empty").write_text("one")
(here / "longer").write_text("one"); sync(here / "longer")
sync(here)
(here / "longer").write_text("one, two")
(here / "late").write_text("one"); sync(here / "late")
(here / "kept").unlink()
""",
    )
    disk.lose_power()
    assert contents(disk) == {"kept": "one", "empty": "", "longer": "one"}


def test_a_file_in_the_place_of_another_is_told_apart(disk: Disk) -> None:
    run(disk, "(here / 'a').write_text('old'); sync(here / 'a'); sync(here)")
    run(
        disk, "(here / 'a').unlink(); (here / 'b').write_text('new'); sync(here / 'b'); (here / 'b').rename(here / 'c')"
    )
    disk.lose_power()
    assert contents(disk) == {"a": "old"}


def test_some_of_what_was_written_later_may_be_there(disk: Disk) -> None:
    run(disk, f"(here / 'a').write_text('x' * {8 * SECTOR}); sync(here / 'a'); sync(here)")
    run(disk, f"(here / 'a').open('r+').write('y' * {8 * SECTOR})")
    disk.lose_power(random.Random(0))
    assert set(contents(disk)["a"]) == {"x", "y"}
    (disk.folder / "a").write_text("lost")
    disk.lose_power()  # what it left the first time is what survives the second
    assert set(contents(disk)["a"]) == {"x", "y"}


def test_it_fails_and_is_full_when_told(disk: Disk) -> None:
    synced = "(here / 'a').write_text('x'); sync(here / 'a')"
    disk.fail(1)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run(disk, synced)
    assert "Input/output error" in failed.value.stderr
    run(disk, synced)
    disk.fill(10)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run(disk, "(here / 'a').write_text('x' * 11)")
    assert "No space left on device" in failed.value.stderr
    run(disk, "(here / 'a').write_text('x' * 10)")
    disk.fill(-1)
    run(disk, "(here / 'a').write_text('x' * 11)")


def test_its_clock_is_off_when_told(disk: Disk) -> None:
    disk.shift(86_400)
    assert float(run(disk, "import time; print(time.time())")) == pytest.approx(time.time() + 86_400, abs=60)
