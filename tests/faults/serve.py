"""`python -m realtime.serve` that dies at a named point, or has a bug. `python -m tests.faults.serve`

The environment names them: see tests.faults.points and tests.faults.planted. Nothing of it is in the server itself.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from realtime import serve  # first: gevent must be in place before anything else
from tests.faults import planted, points


class Processes(serve.Processes):
    """Its children have the faults too."""

    def __init__(self, command: Callable[[int], Sequence[str]], *others: Any) -> None:
        super().__init__(lambda number: [sys.executable, "-m", "tests.faults.serve", *command(number)[3:]], *others)


if __name__ == "__main__":
    points.make()
    planted.plant()
    serve.Processes = Processes
    typer.run(serve.serve)
