"""Backup and restore: a copy taken while batches come, put into a database of either kind; followers start anew."""

import os
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from realtime import backup as program
from realtime.store.engine import migrate, newest_version, open_engine, version_of
from realtime.store.schema import metadata
from tests.conftest import ROOT, Server, eventually
from tests.contracts.test_migrations import CHANGE, ENTRY, SOURCE
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


EARLIER = "0007"


def furnish(url: str) -> None:
    """A database of an earlier version, with something in it."""
    engine = open_engine(url, writes=True)
    migrate(engine, EARLIER)
    with engine.begin() as connection:
        connection.execute(sa.text(SOURCE.format("sure", "null")))
        for offset, key in enumerate("abcd", start=1):
            connection.execute(sa.text(ENTRY.format("sure", key, offset)), {"digest": b"d"})
            connection.execute(sa.text(CHANGE.format("sure", key, offset, "1")))
        connection.execute(sa.text("INSERT INTO notes (room, username, text, at) VALUES ('sure', 'ann', 'hello', 1)"))
    engine.dispose()


def version(url: str) -> str:
    engine = open_engine(url, writes=False)
    try:
        return version_of(engine)
    finally:
        engine.dispose()


def believed(url: str) -> tuple[Any, ...]:
    engine = open_engine(url, writes=False)
    with engine.connect() as connection, connection.begin():
        row = connection.execute(sa.text("SELECT name, head, snapshots, believed, believed_present FROM sources")).one()
    engine.dispose()
    return tuple(row)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_that_is_not_migrated_yet_is_saved_and_left_as_it_is(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, copy = fresh(kind, tmp_path / "first.db", request), tmp_path / "copy"
    furnish(url)
    saved = backup("save", str(copy), "--database", url)
    assert saved.returncode == 0, saved.stderr
    assert version(url) == EARLIER
    restored = f"sqlite:///{tmp_path / 'second.db'}"
    assert backup("restore", str(copy), "--database", restored).returncode == 0
    assert believed(restored) == ("sure", 4, True, 4, 4)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_copy_of_an_earlier_version_is_restored(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    other, copy = fresh(kind, tmp_path / "second.db", request), tmp_path / "copy"
    furnish(f"sqlite:///{copy}")
    program._settle(copy)
    before = copy.read_bytes()
    restored = backup("restore", str(copy), "--database", other)
    assert restored.returncode == 0, restored.stderr
    assert (version(other), believed(other)) == (newest_version(), ("sure", 4, True, 4, 4))
    assert [len(content(other)[table]) for table in ("entries", "changes", "notes")] == [4, 4, 1]
    assert copy.read_bytes() == before


def test_what_is_no_copy_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, " * 100)
    (tmp_path / "empty").touch()
    for name in ("notes.txt", "empty"):
        refused = backup("restore", str(tmp_path / name), "--database", f"sqlite:///{tmp_path / 'second.db'}")
        assert (refused.returncode, "is no database of Portalwire" in refused.stderr) == (2, True), refused.stderr


def test_the_name_of_a_copy_is_on_disk_before_it_is_called_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish(f"sqlite:///{tmp_path / 'first.db'}")
    copies = tmp_path / "copies"
    copies.mkdir()
    synced: list[list[str]] = []  # what was in the folder each time it was synced
    real = os.fsync

    def fsync(handle: int) -> None:
        if os.path.samestat(os.fstat(handle), copies.stat()):
            synced.append([each.name for each in copies.iterdir()])
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    program._save(copies / "copy", f"sqlite:///{tmp_path / 'first.db'}")
    assert synced == [["copy"]]
