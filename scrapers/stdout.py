"""Standard output, for what it is read for: whatever else a portal's code prints goes to standard error."""

import os
import sys
from typing import BinaryIO


def taken() -> BinaryIO:
    """Standard output as it was. From now on what prints, subprocesses too, prints to standard error."""
    sys.stdout.flush()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return out
