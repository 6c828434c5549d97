"""Turns at a host, shared by all processes."""

import subprocess
import sys
import time

import pytest

from scrapers.errors import FetchFailed
from scrapers.fetch.politeness import LONGEST_HOLD, Turnstile

URL = "https://shop.example/list"
WAIT = """
import sys, time
from pathlib import Path
from scrapers.fetch.politeness import Turnstile
for _ in range(3):
    Turnstile(Path(sys.argv[1])).wait("https://shop.example/x", 0.1, 30)
    print(repr(time.time()), flush=True)
"""


def test_processes_take_turns(tmp_path, pytestconfig):
    command = [sys.executable, "-c", WAIT, str(tmp_path)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=pytestconfig.rootpath) for _ in range(2)
    ]
    moments = sorted(float(line) for process in running for line in process.communicate(timeout=60)[0].split())
    assert len(moments) == 6
    assert moments[-1] - moments[0] >= 0.49  # six turns, five pauses, whoever took them


def test_hosts_do_not_wait_for_each_other(tmp_path):
    turnstile = Turnstile(tmp_path)
    began = time.monotonic()
    for port in range(5):
        turnstile.wait(f"https://shop.example:{8000 + port}/", 10, 1)
    assert time.monotonic() - began < 1


def test_a_wait_beyond_our_patience_takes_no_turn(tmp_path):
    turnstile = Turnstile(tmp_path)
    turnstile.hold(URL, 0.3)
    with pytest.raises(FetchFailed, match="wait 0 s more"):
        turnstile.wait(URL, 100, patience=0.01)
    turnstile.wait(URL, 0, patience=1)


def test_no_hold_is_for_ever(tmp_path):
    turnstile = Turnstile(tmp_path)
    turnstile.hold(URL, 10 * LONGEST_HOLD)
    with pytest.raises(FetchFailed, match=f"wait {LONGEST_HOLD:.0f} s"):
        turnstile.wait(URL, 0, 1)


def test_a_file_that_a_power_cut_broke_does_not_stop_us(tmp_path):
    turnstile = Turnstile(tmp_path)
    turnstile.wait(URL, 0, 1)
    [file] = tmp_path.iterdir()
    file.write_text("17e")
    turnstile.wait(URL, 0, 1)
    file.write_text(f"{time.time() + 2 * LONGEST_HOLD} 0.0")  # the clock was set back
    turnstile.wait(URL, 0, 1)
