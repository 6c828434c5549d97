"""Writes the locks anew from pyproject.toml and package.json: exact versions with hashes, no address of a registry.

Arguments go to `uv pip compile` (`--upgrade` takes newer versions; else what is locked stays where it fits).
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = ["pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header"]
LOCKS = {
    "requirements/run.txt": ["pyproject.toml", "--group", "build"],
    "requirements/dev.txt": ["pyproject.toml", "--group", "dev", "--constraint", "requirements/run.txt"],
    "requirements/npm.txt": ["--group", "npm"],
    "requirements/peers.txt": ["--group", "peers"],
}


def main(options: list[str]) -> None:
    for lock, sources in LOCKS.items():
        subprocess.run(
            [sys.executable, "-m", "uv", *COMPILE, *sources, *options, "--output-file", lock], cwd=ROOT, check=True
        )
    npm = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved"]
    for folder in (ROOT, ROOT / "benchmarks" / "peers"):
        subprocess.run(npm, cwd=folder, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
