"""The JSON Schema of schedules.yaml, for editors, from the model that reads it."""

from typing import Any

import msgspec

from scrapers.config.model import Removal, Schedules, Source
from scrapers.config.values import Percent, Seconds, schema


def json_schema() -> dict[str, Any]:
    """The schema, draft 2020-12; a source's name is its key, so `name` is not among its settings."""
    [whole], parts = msgspec.json.schema_components([Schedules], schema_hook=schema, ref_template="#/$defs/{name}")
    for kind in (Source, Removal):
        _add_presets(kind, parts[kind.__name__]["properties"])
    source = parts["Source"]
    name = source["properties"].pop("name")
    source["required"] = [each for each in source["required"] if each != "name"]
    listed = parts["Schedules"]
    listed["properties"]["sources"]["propertyNames"] = name
    listed["properties"]["sources"]["additionalProperties"] = {
        "anyOf": [listed["properties"]["sources"]["additionalProperties"], {"type": "null"}]  # every setting's default
    }
    listed["patternProperties"] = {"^x-": {"description": "Kept for what several sources share by alias."}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "schedules.yaml",
        **whole,
        "$defs": parts,
    }


def _add_presets(kind: type[msgspec.Struct], properties: dict[str, Any]) -> None:
    """The defaults that have a unit, as people write them."""
    for field in msgspec.structs.fields(kind):
        made = field.default_factory
        value = made() if made is not msgspec.NODEFAULT else None
        if isinstance(value, Seconds | Percent):
            properties[field.name]["default"] = str(value)
