"""How much the scenarios do: little in `make test`, for long where PORTALWIRE_FAULTS says `long`."""

import os

LONG = os.environ.get("PORTALWIRE_FAULTS") == "long"


def times(short: int, long: int) -> int:
    return long if LONG else short
