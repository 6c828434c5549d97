"""All scenarios: what each module of this folder names in its SCENARIOS."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

import pytest

from tests.faults.configurations import CONFIGURATIONS

Scenario = Callable[[str, int, Path], None]
"""Runs on a configuration, with a seed, in a folder of its own; records its rows, and raises when one is not zero."""

Place = tuple[str, str, Scenario]
"""A scenario's name, and a configuration that it runs on."""


def places() -> Iterator[Place]:
    for module in iter_modules([str(Path(__file__).parent)]):
        if not module.name.startswith(("test_", "__", "conftest", "serve")):
            yield from places_of(import_module(f"tests.faults.{module.name}"))


def places_of(module: ModuleType) -> Iterator[Place]:
    scenarios: dict[str, Scenario] = getattr(module, "SCENARIOS", {})
    for name, scenario in scenarios.items():
        for configuration in getattr(scenario, "configurations", CONFIGURATIONS):
            yield name, configuration, scenario


def short(module: ModuleType) -> pytest.MarkDecorator:
    """Gives a test each scenario of a module, on each configuration."""
    cases = [
        pytest.param(scenario, configuration, id=f"{name}, {configuration}", marks=pytest.mark.scenario)
        for name, configuration, scenario in places_of(module)
    ]
    return pytest.mark.parametrize(("scenario", "configuration"), cases)
