"""A process that kills itself at a named point.

PORTALWIRE_FAULT_KILL names the point and at which passing of it that is (`before commit:3`); PORTALWIRE_FAULT_KILLS is
how often in all, which the files in the folder PORTALWIRE_FAULT_KILLED count for all processes.
"""

import os
import signal
from itertools import count
from pathlib import Path
from typing import Any

_passings = count(1)


def passing(point: str) -> None:
    """This process is at a point of the code: it may be where it ends."""
    named, _, nth = os.environ.get("PORTALWIRE_FAULT_KILL", "").partition(":")
    if point != named or next(_passings) < int(nth):
        return
    for number in range(int(os.environ["PORTALWIRE_FAULT_KILLS"])):
        try:
            (Path(os.environ["PORTALWIRE_FAULT_KILLED"]) / str(number)).touch(exist_ok=False)
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str, point: str) -> None:
    """Makes the beginning of a function a point."""
    original = getattr(owner, name)

    def passed(*arguments: Any, **options: Any) -> Any:
        passing(point)
        return original(*arguments, **options)

    setattr(owner, name, passed)


def after(owner: Any, name: str, point: str) -> None:
    """Makes the end of a function a point."""
    original = getattr(owner, name)

    def passed(*arguments: Any, **options: Any) -> Any:
        result = original(*arguments, **options)
        passing(point)
        return result

    setattr(owner, name, passed)
