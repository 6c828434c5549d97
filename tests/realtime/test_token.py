"""python -m realtime.token: makes tokens, withdraws them, and says what to do when it cannot."""

import os
import subprocess
import sys
import time

import pytest
import requests

from ingest_api.auth import read
from tests.conftest import ROOT, Server
from tests.tokens import SECRET, bearer, locked  # noqa: F401


def run(*options: str, secret: str = SECRET, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "realtime.token", *options],
        cwd=ROOT,
        env={**os.environ, "PORTALWIRE_SECRET": secret, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_prints_a_token_and_nothing_else() -> None:
    made = run("--join", "vendor_x*", "--join", "y", "--ingest", "vendor_x", "--operate", "--ttl", "2h", "--name", "al")
    assert made.returncode == 0, made.stderr
    grant = read(SECRET, made.stdout.strip(), time.time())
    assert (grant.sub, grant.join, grant.ingest, grant.operate) == ("al", ("vendor_x*", "y"), ("vendor_x",), True)
    assert grant.expires is not None
    assert 7190 < grant.expires - time.time() <= 7200
    assert grant.jti in made.stderr
    assert made.stdout.strip() not in made.stderr


ALL = ("--join", "*")


@pytest.mark.parametrize(
    ("options", "secret", "words"),
    [
        ([], "", "set PORTALWIRE_SECRET"),
        ([*ALL], "short", "too short"),
        ([*ALL, "--ttl", "soon"], SECRET, "write 90s, 15m, 1h or 30d"),
        ([*ALL, "--ttl", "367d"], SECRET, "366 days"),
        ([*ALL, "--ttl", "0s"], SECRET, "valid for"),
        ([], SECRET, "say --join, --ingest or --operate"),
        (["--join", ""], SECRET, "--join '' fits no source"),
        (["--join", "Vendor X"], SECRET, "--join 'Vendor X' fits no source"),
        (["--join", "vendor_x/"], SECRET, "fits no source"),
        (["--ingest", "NOT A SOURCE"], SECRET, "--ingest 'NOT A SOURCE' fits no source"),
        (["--ingest", "vendor_x/steel"], SECRET, "fits no source"),
        ([*ALL, "--name", ""], SECRET, "sub"),
        (["--revoke", "x", "--url", "http://127.0.0.1:9"], SECRET, "set --url or PORTALWIRE_INGEST_URL"),
    ],
)
def test_what_is_wrong_is_said(options: list[str], secret: str, words: str) -> None:
    ran = run(*options, secret=secret)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


def test_it_withdraws_a_token(locked: Server) -> None:  # noqa: F811
    made = run("--join", "*").stdout.strip()
    sources = f"{locked.url}/api/sources"
    assert requests.get(sources, headers=bearer(made), timeout=30).status_code == 200
    ran = run("--revoke", read(SECRET, made, time.time()).jti, PORTALWIRE_INGEST_URL=locked.url)
    assert ran.returncode == 0, ran.stderr
    answer = requests.get(sources, headers=bearer(made), timeout=30)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "revoked")


def test_another_secret_withdraws_nothing(locked: Server) -> None:  # noqa: F811
    ran = run("--revoke", "x", "--url", locked.url, secret="another secret, longer than thirty-two bytes")
    assert ran.returncode == 2
    assert "answered 401" in ran.stderr
