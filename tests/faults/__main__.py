"""The long run: the tests of this folder, whole, then every scenario, on every configuration, seed after seed.
`make faults`, or `python -m tests.faults`

Its table goes into docs/reliability.md. A failure is told with the command that repeats it.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated
from xml.etree import ElementTree

import pytest
import typer

from tests.conftest import ROOT
from tests.faults import table
from tests.faults.scenarios import Place, places

PAGE = ROOT / "docs" / "reliability.md"
TESTS = (
    "tests/faults",
    "tests/contracts/test_copying.py::test_a_copy_taken_while_batches_come_is_whole_and_followers_start_anew",
    "tests/scrapers/test_bombs.py::test_a_bomb_harms_no_neighbour",
    "tests/scrapers/fetch/test_browser.py::test_other_hosts_are_never_asked",
    "tests/scrapers/fetch/test_browser.py::test_nothing_is_left_when_the_scraper_ends_without_closing",
)
"""All that record rows."""

BEGIN, END = "<!-- counted: faults -->", "<!-- /counted: faults -->"


def main(
    minutes: Annotated[float, typer.Option(help="How long; each scenario runs once at least.")] = 30,
    seed: Annotated[int | None, typer.Option(help="The first seed; another one each time unless told.")] = None,
    only: Annotated[str, typer.Option(help="A part of a scenario's or configuration's name.")] = "",
    write: Annotated[bool, typer.Option(help="Put the table into docs/reliability.md.")] = True,
) -> None:
    """Count violations under faults."""
    first = secrets.randbelow(10**6) if seed is None else seed
    chosen = [place for place in places() if only in f"{place[0]}, {place[1]}"]
    if not chosen:
        sys.exit(f"No scenario has {only!r} in its name.")
    table.ROWS.unlink(missing_ok=True)
    start = time.monotonic()
    failed = [] if only else _tests(first)
    began = time.monotonic()
    last = first
    for number, place in _rounds(chosen, first):
        if number > first and time.monotonic() - began > minutes * 60:
            break
        failed += _run(place, number)
        last = number
    took = (time.monotonic() - start) / 60
    report = _report(table.read(), f"{took:.0f} minutes, seeds {first} to {last}, {datetime.now(UTC):%Y-%m-%d}")
    typer.echo(report)
    if write and not only:
        _put(report)
    sys.exit("\n".join(["These did not hold:", *failed]) if failed else 0)


def _tests(seed: int) -> list[str]:
    """Promises that no scenario is about have tests of their own, which count too. Each file of them is a scenario of
    which every test is a run."""
    words = [
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-m",
        "not scenario",
        "--timeout",
        "1800",
        f"--hypothesis-seed={seed}",
        *TESTS,
    ]
    with tempfile.TemporaryDirectory(prefix="portalwire-faults-") as folder:
        told = Path(folder) / "tests.xml"
        environment = {**os.environ, "PORTALWIRE_FAULTS": "long"}
        command = [sys.executable, *words, f"--junitxml={told}"]
        ended = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
        runs: dict[str, list[bool]] = defaultdict(list)  # file -> whether each of its tests failed
        for case in ElementTree.parse(told).iter("testcase") if told.exists() else ():
            if case.find("skipped") is None:
                file = case.get("classname", "").rpartition("tests.")[2]
                runs[file].append(case.find("failure") is not None or case.find("error") is not None)
    if ended and not any(map(any, runs.values())):
        runs["all"].append(True)  # they could not even begin, or not end
    for file, faults in runs.items():
        table.keep(table.Row(f"tests: {file}", "what its rows say", table.RUNS, sum(faults), len(faults), "tests"))
    return [f"PORTALWIRE_FAULTS=long python {' '.join(words)}"] if ended else []


def _rounds(chosen: list[Place], first: int) -> Iterator[tuple[int, Place]]:
    """All places with the first seed, then all with the next, for ever."""
    return ((number, place) for number in count(first) for place in chosen)


def _run(place: Place, seed: int) -> list[str]:
    """What to type to see it again, if it failed."""
    name, configuration, scenario = place
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="portalwire-faults-", ignore_cleanup_errors=True) as folder:
        try:
            scenario(configuration, seed, Path(folder))
        except (Exception, pytest.fail.Exception):  # noqa: BLE001 - told here, and counted at the end
            traceback.print_exc()
            _ran(place, failed=True)
            again = f"python -m tests.faults --seed {seed} --minutes 0 --only '{name}, {configuration}'"
            typer.echo(f"FAILED {again}")
            return [again]
    _ran(place, failed=False)
    typer.echo(f"{time.monotonic() - began:6.1f} s  {name}, {configuration}, seed {seed}")
    return []


def _ran(place: Place, *, failed: bool) -> None:
    """Whatever broke, in the table too: what ends before its count would leave only the rows of other seeds."""
    name, configuration, _ = place
    table.keep(table.Row(name, configuration, table.RUNS, int(failed), 1, "runs"))


def _report(rows: list[table.Row], about: str) -> str:
    """Violations and over how many, scenario and configuration by promise, as Markdown."""
    sums: dict[tuple[str, str], dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in rows:
        held = sums[row.scenario, row.configuration][row.promise]
        held[0] += row.violations
        held[1] += row.counted
    promises = sorted({promise for by in sums.values() for promise in by})
    runs = [row for row in rows if row.promise == table.RUNS]
    failed, of = sum(row.violations for row in runs), sum(row.counted for row in runs)
    lines = [
        f"{about}; {os.cpu_count()} cores. **{failed} of {of:,} runs failed.** A cell is *violations / over how many*, "
        "by the number of the promise; of *runs*, those that failed, for whatever reason.",
        "",
        f"| scenario | on | {' | '.join('runs' if p == table.RUNS else str(p) for p in promises)} |",
        f"|---|---|{'--:|' * len(promises)}",
    ]
    for (scenario, configuration), by in sorted(sums.items()):
        cells = [f"{by[p][0]} / {by[p][1]:,}" if p in by else "" for p in promises]
        lines.append(f"| {scenario} | {configuration} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _put(report: str) -> None:
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    PAGE.write_text(between.sub(lambda _: f"{BEGIN}\n\n{report}\n\n{END}", PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    typer.run(main)
