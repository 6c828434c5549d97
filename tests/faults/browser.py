"""A real browser on the page while server processes are killed: what its table shows is what the log says."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import eventually
from tests.end_to_end.conftest import open_browser
from tests.end_to_end.reading import Reading
from tests.faults import counts
from tests.faults.configurations import PROCESSES, SQLITE
from tests.faults.follower import Changes
from tests.faults.stage import SOURCE, Stage, staged

NAME = "kill -9 with a browser on the page"
BATCHES = 6  # before the first kill can be, and after the last
POINTS = ("before commit", "after commit", "before answer")
WITHIN = 30.0  # seconds until the page has what the other clients have: it looks again after 5 s at most
TALL = 4_000  # px, so that the table draws every row

Shown = dict[str, tuple[str, str]]
"""Key -> step and version, as text."""

TABLE = """
return [...document.querySelectorAll("#rows tr[data-id]")].filter((tr) => tr.dataset.kind !== "removed").map((tr) => [
  tr.querySelector(".c-key").textContent,
  [tr.querySelector(".c-cell").textContent.split(" ").at(-1), tr.querySelector(".c-seq").textContent], // was 3 → now 9
]);
"""


def killed(configuration: str, seed: int, folder: Path) -> None:
    """The page is loaded once, and left alone."""
    fault, kills = f"{random.Random(seed).choice(POINTS)}:2", 2 + seed % 3
    with staged(configuration, folder, seed, fault=fault, kills=kills) as stage, browsing(folder) as page:
        stage.deliver(1)
        page.url = stage.service.url
        page.arrive(f"#/live/{SOURCE}")
        page.resize(1440, TALL)
        page.wait(lambda: page.line == "live", "the page is live")
        page.js("window.same = true")
        stage.deliver(BATCHES)
        eventually(lambda: stage.service.killed == kills or _went_on(stage), what="processes were killed")
        stage.deliver(BATCHES)
        stage.settle()
        with suppress(pytest.fail.Exception):  # it is counted
            page.wait(lambda: page.line == "live" and not differing(page, stage.log), "the page has it all", WITHIN)
        wrong = differing(page, stage.log)
        assert page.js("return window.same"), "the page was not loaded again"
        found = stage.found()
        clients, counted, _ = found[4]
        rows = len(present(stage.log))
        found[4] = ([*clients, *wrong], counted + rows, "changes that clients took and rows of the page")
        counts.note(NAME, configuration, found)


@contextmanager
def browsing(folder: Path) -> Iterator[Reading]:
    chrome = open_browser(folder / "chromium")
    try:
        yield Reading(chrome, "")
    finally:
        chrome.quit()


def differing(page: Reading, log: Changes) -> list[object]:
    """What the table shows, and should not or not so; and what it lacks."""
    rows = page.js(TABLE)
    shown: Shown = {key: tuple(told) for key, told in rows}
    wrong: list[object] = ["twice"] if len(shown) < len(rows) else []
    wrong += [("shown", *each) for each in shown.items() - present(log).items()]
    return wrong + [("not shown", *each) for each in present(log).items() - shown.items()]


def present(log: Changes) -> Shown:
    newest = {change["key"]: change for change in log}
    return {
        key: (str(change["data"]["step"]), str(change["version"]))
        for key, change in newest.items()
        if change["kind"] != "removed"
    }


def _went_on(stage: Stage) -> bool:
    stage.deliver(1)
    return False


killed.configurations = (SQLITE, PROCESSES)  # type: ignore[attr-defined]

SCENARIOS = {NAME: killed}
