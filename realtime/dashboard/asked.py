"""What a browser may ask of the charts: one of their callbacks, with the inputs that it has, and plain values in them.
Dash believes whatever comes."""

from typing import Any

import msgspec
from dash import Dash
from dash._utils import split_callback_id

from ingest_api.contract.entry import plain
from ingest_api.contract.errors import ContractError

LONGEST = 300  # characters of a value: a source, a symbol, a window

Value = str | int | float | None


class NotAsked(ContractError):
    """That is nothing that these charts ask: load the page again."""

    code = "not_asked"


class Part(msgspec.Struct):
    """An output or input: a property of a component, and of an input its value."""

    id: str
    of: str = msgspec.field(name="property")
    value: Value = None

    @property
    def name(self) -> tuple[str, str]:
        return self.id, self.of


class Asked(msgspec.Struct):
    """The body of a callback's request."""

    output: str
    outputs: Part | list[Part]
    inputs: list[Part]
    changedPropIds: list[str]  # noqa: N815 - as Dash calls it
    state: list[Part] = []


def check(dash: Dash, body: Any) -> None:
    """Raises NotAsked for what is no request of a callback of `dash`."""
    try:
        asked = msgspec.convert(body, Asked)
    except msgspec.ValidationError as error:
        raise NotAsked from error
    callback = dash.callback_map.get(asked.output)
    if callback is None or asked.state:
        raise NotAsked
    outputs = split_callback_id(asked.output)  # type: ignore[no-untyped-call]
    if _names(asked.outputs) != _told(outputs) or _names(asked.inputs) != _told(callback["inputs"]):
        raise NotAsked
    if not all(_is_usual(part) for part in asked.inputs):
        raise NotAsked


def _names(parts: Part | list[Part]) -> list[tuple[str, str]]:
    return [part.name for part in (parts if isinstance(parts, list) else [parts])]


def _told(parts: Any) -> list[tuple[str, str]]:
    return [(part["id"], part["property"]) for part in (parts if isinstance(parts, list) else [parts])]


def _is_usual(part: Part) -> bool:
    """A choice is a text or none, and what counts the times of something is a number."""
    value = part.value
    if part.of != "value" or value is None:
        return not isinstance(value, str)
    return isinstance(value, str) and len(value) <= LONGEST and plain(value) == value
