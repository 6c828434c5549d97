"""The garbage collector of a process that reads pages."""

import gc

YOUNG = 10_000  # allocations between two collections of the youngest


def rest() -> None:
    """What is loaded now stays, and need not be looked through again and again; nor need the entries that wait to be
    handed on. Measured in docs/performance.md."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
