"""A scraper is light: what serves is never loaded by what reads."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = ("flask", "sqlalchemy", "flask_socketio", "gevent", "realtime", "ingest_api.http")


@pytest.mark.parametrize("module", ["scrapers.run", "scrapers.schedule", "scrapers.worker"])
def test_the_commands_load_no_server(module: str) -> None:
    code = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert not set(HEAVY) & set(json.loads(ran.stdout))
