"""`python -m scrapers.schedule` for tests, and what can be seen of it from outside."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT, eventually, free_port
from tests.scrapers.door import DoorServer
from tests.scrapers.rig import Rig


class Scheduler:
    """The command as a process."""

    def __init__(self, rig: Rig, *arguments: str) -> None:
        self.rig = rig
        self.file = rig.folder / "scheduler.log"
        self.port = free_port()
        with self.file.open("ab") as log:
            self.process = subprocess.Popen(
                rig.command("scrapers.schedule", *arguments),
                cwd=ROOT,
                env={**rig.environment(), "PORTALWIRE_SCHEDULER_METRICS": str(self.port)},
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> list[dict[str, Any]]:
        lines = self.file.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def says(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == event]

    def measured(self, name: str, **labels: str) -> float:
        """A number as Prometheus would read it now; 0 for one that is not there (yet)."""
        try:
            told = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=10).text
        except requests.ConnectionError:
            return 0.0
        samples = [sample for family in text_string_to_metric_families(told) for sample in family.samples]
        wanted = (f"portalwire_scheduler_{name}", labels)
        return next((sample.value for sample in samples if (sample.name, sample.labels) == wanted), 0.0)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def pids(rig: Rig, part: str = "") -> dict[int, str]:
    """The processes started for this rig, however they are related to us: pid -> command line, which holds `part`."""
    mark, found = f"PORTALWIRE_VAR={rig.var}".encode(), {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended while we looked
            continue
    return {pid: command for pid, command in found.items() if command and part in command}


def processes(rig: Rig) -> list[str]:
    return list(pids(rig).values())


def ended(door: DoorServer) -> list[dict[str, Any]]:
    return [report for report in door.reports if report["state"] != "running"]


@pytest.fixture
def started(rig: Rig) -> Iterator[list[Scheduler]]:
    """Schedulers that a test started; whatever it did, nothing of them is left."""
    schedulers: list[Scheduler] = []
    yield schedulers
    for scheduler in schedulers:
        scheduler.process.kill()
        scheduler.process.wait()
    eventually(lambda: not processes(rig), 40, "no process is left")
