"""What the project needs from the machine itself: found, or installed from Debian's packages by root, or asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class Need(NamedTuple):
    """Programs of which one must be there, the Debian package that brings it, and what does not work without it."""

    what: str
    programs: tuple[str, ...]  # names on PATH, or patterns below /
    package: str
    without: str | None = None  # None: nothing works


ENSUREPIP = (Need("Python's venv module", (), "python3-venv"),)
BROWSER = (
    Need(
        "Chromium",
        (
            "chromium",
            "chromium-browser",
            "google-chrome",
            "Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        ),
        "chromium",
        "sources with `fetch: browser` (vendor_y of the demo) fail, the others run",
    ),
    Need(
        "chromedriver",
        ("chromedriver",),
        "chromium-driver",
        "sources with `fetch: browser` fail, unless SE_OFFLINE=false lets Selenium fetch a driver",
    ),
)
COMPILER = (Need("a C compiler", ("cc", "gcc", "clang"), "gcc", "the readers of the benchmarks cannot be made"),)
REDIS = (Need("Redis", ("redis-server",), "redis-server"),)
TESTS = (
    Need("curl", ("curl",), "curl", "the test of docs/tutorial.md fails"),
    Need("Redis", ("redis-server",), "redis-server", "the tests that need it are skipped"),
    Need("promtool", ("promtool",), "prometheus", "the test of deploy/ is skipped"),
    Need(
        "PostgreSQL",
        ("postgres", "usr/lib/postgresql/*/bin/postgres"),
        "postgresql",
        "the tests that need it are skipped",
    ),
)


def provide(needs: tuple[Need, ...]) -> None:
    """Installs what is missing if we may; else one line for each says what to install. Ends the program if all
    depends on it."""
    missing = [need for need in needs if not found(need)]
    if not missing or (may_install() and install([need.package for need in missing])):
        return
    for need in missing:
        ask = f"{need.what} is missing: install it (Debian, Ubuntu: `sudo apt-get install {need.package}`)."
        if need.without is None:
            sys.exit(ask)
        print(f"{ask} Without it {need.without}.", file=sys.stderr, flush=True)


def found(need: Need) -> bool:
    if need.what == "Chromium" and os.environ.get("PORTALWIRE_CHROMIUM"):
        return True
    return any(shutil.which(program) or any(Path("/").glob(program)) for program in need.programs)


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: list[str]) -> bool:
    """Debian's packages; False when apt-get could not."""
    print(f"set-up: apt-get install {' '.join(packages)} …", flush=True)
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = [*apt, "install", "-y", "--no-install-recommends", *packages]
    subprocess.run([*apt, "update"], env=environment)  # its failure may be one dead source among several
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="", file=sys.stderr)
    return done.returncode == 0
