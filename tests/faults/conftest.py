"""What scenarios of faults share, and how many of them a run has."""

from collections import defaultdict
from pathlib import Path
from zlib import crc32

import pytest

from tests.faults.configurations import CONFIGURATIONS
from tests.faults.effort import LONG
from tests.faults.installations import installation

__all__ = ["installation"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In `make test` each scenario runs on one configuration, not the same one for all, so that it takes minutes; where
    PORTALWIRE_FAULTS says `long`, as `make faults` does, on each."""
    if LONG:
        return
    same: dict[str, list[pytest.Item]] = defaultdict(list)  # but for its configuration
    for item in items:
        configuration = _configuration(item)
        if configuration is not None and item.path.is_relative_to(Path(__file__).parent):
            head, _, tail = item.nodeid.rpartition(configuration)
            same[head + tail].append(item)
    left = {
        id(item) for key, each in same.items() for item in each if item is not each[crc32(key.encode()) % len(each)]
    }
    config.hook.pytest_deselected(items=[item for item in items if id(item) in left])
    items[:] = [item for item in items if id(item) not in left]


def _configuration(item: pytest.Item) -> str | None:
    """The one that it runs on, where it says so."""
    params = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return next((each for each in params if isinstance(each, str) and each in CONFIGURATIONS), None)
