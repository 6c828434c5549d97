"""Backup and restore: a copy taken while batches come, put into a database of either kind; followers start anew."""

import subprocess
import sys
import threading
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from realtime.store.engine import open_engine
from realtime.store.schema import metadata
from tests.conftest import ROOT, Server, eventually
from tests.faults import counts
from tests.faults.configurations import POSTGRESQL, SQLITE
from tests.faults.follower import Follower
from tests.sending import post
from tests.servers import PostgresServer


def backup(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "realtime.backup", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


CONFIGURATIONS = {"sqlite": SQLITE, "postgresql": POSTGRESQL}


def fresh(kind: str, file: Path, request: pytest.FixtureRequest) -> str:
    """The address of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{file}"
    cluster: PostgresServer = request.getfixturevalue("postgres")
    cluster.start()
    return cluster.create()


def content(url: str, *without: str) -> dict[str, list[Any]]:
    """Every row of a database."""
    engine = open_engine(url, writes=False)
    with engine.connect() as connection, connection.begin():
        found = {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in metadata.sorted_tables
            if table.name not in ("leases", "presence", *without)
        }
    engine.dispose()
    return found


@pytest.mark.parametrize(("first", "second"), [*product(CONFIGURATIONS, CONFIGURATIONS)])
def test_a_copy_taken_while_batches_come_is_whole_and_followers_start_anew(
    first: str, second: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, other = fresh(first, tmp_path / "first.db", request), fresh(second, tmp_path / "second.db", request)
    server = Server(tmp_path, {"PORTALWIRE_DATABASE_URL": url})
    server.start()
    ending = threading.Event()
    acknowledged: list[int] = []

    def deliver() -> None:
        while not ending.is_set():
            step = len(acknowledged)
            acknowledged.append(post(server.url, "vendor_x", {f"k{n}": {"step": step} for n in range(50)})["offset"])

    sender = threading.Thread(target=deliver)
    with Follower(server.url, "vendor_x") as reader:
        eventually(lambda: reader.there, what="it is in its room")
        sender.start()
        reader.wait(lambda: reader.cursors["vendor_x"][0] > 200)
        known = acknowledged[-1]
        saved = backup("save", str(tmp_path / "copy"), "--database", url)
        assert saved.returncode == 0, saved.stderr
        ending.set()
        sender.join()
        reader.reach("vendor_x", acknowledged[-1])
        cursor, epoch = reader.cursors["vendor_x"]
        lost = dict(reader.data("vendor_x"))
        server.stop()

        restored = backup("restore", str(tmp_path / "copy"), "--database", other)
        assert restored.returncode == 0, restored.stderr
        assert content(f"sqlite:///{tmp_path / 'copy'}", "meta") == content(other, "meta")
        server.environment = {"PORTALWIRE_DATABASE_URL": other}
        server.start()
        reader.wait(lambda: reader.resets == ["vendor_x"], "its cursor means nothing here")
        head = requests.get(f"{server.url}/api/sources/vendor_x", timeout=30).json()["head"]
        assert head <= cursor
        reader.reach("vendor_x", head)
        assert reader.cursors["vendor_x"][1] != epoch
        assert reader.data("vendor_x").keys() == lost.keys()
        steps = {data["step"] for data in reader.data("vendor_x").values()}
        # a batch, of 50 changes, is in the copy or it is not
        wrong = max(0, known - head) + int(head % 50 != 0 or steps != {head // 50 - 1})
        scenario = f"a copy of {CONFIGURATIONS[first]}, taken under load, restored"
        found: dict[int, counts.Found] = {
            1: ([(known, head, steps)] * wrong, known, "changes acknowledged before it"),
            4: (reader.violations, head, "changes followed anew"),
        }
        counts.note(scenario, CONFIGURATIONS[second], found)
        again = post(server.url, "vendor_x", {"k0": {"step": "after"}})
        reader.reach("vendor_x", again["offset"])
        assert again["offset"] == head + 1
        assert requests.post(f"{server.url}/api/runs", json=run("r-after"), timeout=30).status_code == 204
    server.stop()


def run(name: str) -> dict[str, Any]:
    return {"run_id": name, "source": "vendor_x", "state": "running", "started_at": "2026-11-22T07:31:02Z"}


def test_a_copy_goes_nowhere_where_something_is(tmp_path: Path, server: Server) -> None:
    post(server.url, "vendor_x", {"a": {"n": 1}})
    url = f"sqlite:///{server.database}"
    copy = tmp_path / "copy"
    assert backup("save", str(copy), "--database", url).returncode == 0
    refused = backup("save", str(copy), "--database", url)
    assert (refused.returncode, "name a new file" in refused.stderr) == (2, True)
    refused = backup("restore", str(copy), "--database", url)
    assert (refused.returncode, "goes into an empty one" in refused.stderr) == (2, True)
    refused = backup("restore", str(tmp_path / "nothing"), "--database", url)
    assert (refused.returncode, "there is no file" in refused.stderr) == (2, True)
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith("copy")) == ["copy"]
