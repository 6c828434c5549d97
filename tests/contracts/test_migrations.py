"""Databases of earlier versions, brought up to date, on both kinds."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from realtime.errors import StoreBroken
from realtime.store.engine import migrate, open_engine
from tests.conftest import ROOT

ENTRY = """
    INSERT INTO entries
        (source, key, "offset", first_offset, version, present, digest, kind, data, first_seen, at, parser)
    VALUES ('{0}', '{1}', {2}, {2}, 1, true, :digest, 'new', '{{}}', {2}, {2}, '1')
"""
CHANGE = """
    INSERT INTO changes (source, "offset", key, version, kind, data, run_id, at)
    VALUES ('{0}', {2}, '{1}', 1, 'new', '{{}}', '{3}', {2})
"""
SOURCE = "INSERT INTO sources (name, head, present, as_of, snapshots, hold) VALUES ('{}', 4, 4, 2, true, {})"
HOLD = """
    INSERT INTO holds (source, run_id, at, as_of, present, seen, hold_above, missing, decision)
    VALUES ('held', '{}', {as_of}, {as_of}, 2, 0, 0.5, '["a", "b"]', {})
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(database_url, writes=True)
    yield engine
    engine.dispose()


def test_a_source_that_is_held_keeps_what_was_believed_before(engine: sa.Engine) -> None:
    migrate(engine, "0007")
    with engine.begin() as connection:
        for source, hold in (("held", "2"), ("sure", "null")):
            connection.execute(sa.text(SOURCE.format(source, hold)))
            for offset, (key, run) in enumerate([("a", "1"), ("b", "1"), ("x", "2"), ("y", "3")], start=1):
                connection.execute(sa.text(ENTRY.format(source, key, offset)), {"digest": b""})
                connection.execute(sa.text(CHANGE.format(source, key, offset, run)))
        connection.execute(sa.text(HOLD.format("2", "'superseded'", as_of=3)))
        connection.execute(sa.text(HOLD.format("3", "null", as_of=4)))
    migrate(engine)
    with engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT name, believed, believed_present FROM sources ORDER BY name")).all()
    assert [tuple(row) for row in rows] == [("held", 2, 2), ("sure", 4, 4)]


def test_a_file_that_is_no_database_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, " * 100)
    environment = {
        **os.environ,
        "PORTALWIRE_DATABASE_URL": f"sqlite:///{tmp_path / 'notes.txt'}",
        "PORTALWIRE_PORT": "0",
    }
    command = [sys.executable, "-m", "realtime.serve"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert done.stderr.startswith(f"portalwire: the database sqlite:///{tmp_path / 'notes.txt'} cannot be opened: ")
    assert done.stderr.count("\n") == 1


def test_a_database_of_a_later_version_is_left_alone(engine: sa.Engine) -> None:
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreBroken, match="another version of Portalwire"):
        migrate(engine)
