"""Makes this machine ready for one of the project's commands. Standard library only: nothing is installed yet.

    python3 scripts/setup.py run      .venv from the lock, the page's npm packages, a browser
    python3 scripts/setup.py check    .venv with the tools that check the code
    python3 scripts/setup.py test     all of that, and what the tests talk to
    python3 scripts/setup.py bench    that too, and what the benchmarks compare with, apart from ours

What is there already stays as it is: a stamp in .venv holds the digest of what each step was made from.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PEERS = ROOT / "build" / "peers"
STAMPS = VENV / "portalwire-stamps.json"  # {step: digest of what it was made from}
VENDOR = ROOT / "realtime" / "web" / "vendor"
SERVED = (  # what the page loads, under node_modules
    "socket.io-client/dist/socket.io.esm.min.js",
    "socket.io-client/dist/socket.io.msgpack.min.js",
    "swagger-ui-dist/swagger-ui.css",
    "swagger-ui-dist/swagger-ui-bundle.js",
)
OLDEST = (3, 11)
INTERRUPTED = 130
# as `python -m venv --clear`, which prints a traceback when it is interrupted
MAKE_VENV = """
import sys, venv
try:
    venv.create(sys.argv[1], clear=True, with_pip=True, symlinks=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def main(purpose: str) -> None:
    make_venv()
    if purpose == "run":
        once("run", ["requirements/run.txt"], install_packages)
    else:
        once("dev", ["requirements/run.txt", "requirements/dev.txt"], install_packages)
    if purpose != "check":
        once("page", ["package.json", "package-lock.json", "scripts/setup.py"], install_page)
        machine.provide(machine.BROWSER)
    if purpose == "run" and (os.environ.get("REDIS") or os.environ.get("PROCESSES")):
        machine.provide(machine.REDIS)
    if purpose in ("test", "bench"):
        machine.provide(machine.TESTS)
    if purpose == "bench":
        machine.provide(machine.COMPILER)
        once("peers", ["benchmarks/peers/package-lock.json", "requirements/peers.txt"], install_peers)


def make_venv() -> None:
    """.venv, if it is not there, was not finished, or was made elsewhere: its programs name the folder they are in."""
    if usable(VENV):
        return
    if importlib.util.find_spec("ensurepip") is None:  # Debian keeps it in a package of its own
        machine.provide(machine.ENSUREPIP)
    say("making .venv")
    call([sys.executable, "-c", MAKE_VENV, str(VENV)])


def usable(venv: Path) -> bool:
    """Whether pip, the last thing that is put into a new environment, is there and finds its Python."""
    pip = venv / "bin" / "pip"
    return (venv / "bin" / "python").exists() and pip.exists() and str(venv) in pip.read_text().partition("import")[0]


def install_packages(lock: str) -> None:
    """The lock, every file by its hash, then the project itself, editable."""
    say(f"installing {lock}")
    pip("install", "--require-hashes", "-r", lock)
    pip("install", "--no-deps", "--no-build-isolation", "-e", ".")


def install_page(_: str) -> None:
    """The npm packages by their lock, and what the page loads of them into its vendor folder."""
    say("installing the page's npm packages")
    path = os.pathsep.join([os.environ["PATH"], str(VENV / "bin")])
    if shutil.which("npm", path=path) is None:
        pip("install", "--require-hashes", "-r", "requirements/npm.txt")
    npm = shutil.which("npm", path=path) or "npm"
    call([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], PATH=path)
    VENDOR.mkdir(exist_ok=True)
    for file in SERVED:
        shutil.copy(ROOT / "node_modules" / file, VENDOR)


def install_peers(lock: str) -> None:
    """What others use, in environments of their own."""
    say(f"installing {lock} and the peers' npm packages")
    call([sys.executable, "-m", "venv", "--clear", str(PEERS)])
    call([str(PEERS / "bin" / "python"), "-m", "pip", "-qq", "install", "--require-hashes", "-r", lock])
    ours = str(VENV / "bin")  # it may hold the npm
    path = os.pathsep.join([os.environ["PATH"], ours])
    npm = shutil.which("npm", path=path) or "npm"
    call([npm, "--prefix", "benchmarks/peers", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], PATH=path)


def once(step: str, made_from: list[str], make: Callable[[str], None]) -> None:
    """Calls `make` with the last of the files, unless the step was done from these very files, here."""
    digest = hashlib.sha256(str(ROOT).encode())
    for file in made_from:
        digest.update((ROOT / file).read_bytes())
    stamps = json.loads(STAMPS.read_text()) if STAMPS.exists() else {}
    if stamps.get(step) == digest.hexdigest():
        return
    make(made_from[-1])
    STAMPS.write_text(json.dumps({**stamps, step: digest.hexdigest()}))


def pip(*arguments: str) -> None:
    call([str(VENV / "bin" / "python"), "-m", "pip", "-qq", "--disable-pip-version-check", *arguments])


def call(command: list[str], **environment: str) -> None:
    """Runs the command in the project's folder; it says itself what went wrong, we say that set-up ends here."""
    if subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode:
        sys.exit(f"Set-up stopped: `{' '.join(command[:6])} …` failed, see above.")


def say(what: str) -> None:
    print(f"set-up: {what} …", flush=True)


def guarded(step: Callable[[], None]) -> None:
    """Ends the program in one line when it is interrupted."""
    try:
        step()
    except KeyboardInterrupt:
        print("set-up: interrupted; the next one goes on.", file=sys.stderr)
        sys.exit(INTERRUPTED)


def newer_python() -> str | None:
    """A Python on this machine that is new enough, when this one is not."""
    found = (shutil.which(f"python3.{minor}") for minor in (13, 12, 11))
    return next(filter(None, found), None)


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        other = newer_python()
        if other is None:
            sys.exit(f"Portalwire needs Python 3.11 or newer; this is {sys.version.split()[0]}: install a newer one.")
        os.execv(other, [other, *sys.argv])
    guarded(lambda: main(sys.argv[1]))
