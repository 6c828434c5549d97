"""The reaper: a group of processes ends with us, however we end."""

import signal
import subprocess
import sys

import pytest

from scrapers.fetch.reaper import Reaper
from tests.conftest import eventually
from tests.processes import alive

PARENT = """
import subprocess, sys, time
from scrapers.fetch.reaper import Reaper
reaper = Reaper()
subprocess.Popen(["sh", "-c", "trap '' TERM; sleep 600 & sleep 600"], process_group=reaper.group)
print(reaper.group, flush=True)
if sys.argv[1] == "raise":
    raise SystemExit(3)
time.sleep(600)
"""


def test_end_kills_children_and_grandchildren():
    reaper = Reaper()
    child = subprocess.Popen(["sh", "-c", "sleep 600 & sleep 600"], process_group=reaper.group)
    eventually(lambda: len(alive(group=reaper.group)) == 4)
    assert reaper.memory() > 0
    reaper.end()
    child.wait()
    eventually(lambda: not alive(group=reaper.group))
    reaper.end()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL, "raise"])
def test_group_ends_with_the_process_that_made_it(how):
    script = [sys.executable, "-c", PARENT, str(how)]
    with subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as parent:
        group = int(parent.stdout.readline())
        if how != "raise":
            eventually(lambda: len(alive(group=group)) == 4)
            parent.send_signal(how)
        parent.wait(timeout=10)
    eventually(lambda: not alive(group=group), what="the end of the group")
