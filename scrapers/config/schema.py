"""The JSON Schema of schedules.yaml, for editors, from the model that reads it."""

from typing import Any

import msgspec

from scrapers.config.model import Schedules
from scrapers.config.values import schema


def json_schema() -> dict[str, Any]:
    """The schema, draft 2020-12; a source's name is its key, so `name` is not among its settings."""
    [whole], parts = msgspec.json.schema_components([Schedules], schema_hook=schema, ref_template="#/$defs/{name}")
    source = parts["Source"]
    name = source["properties"].pop("name")
    source["required"] = [each for each in source["required"] if each != "name"]
    listed = parts["Schedules"]
    listed["properties"]["sources"]["propertyNames"] = name
    listed["patternProperties"] = {"^x-": {"description": "Kept for what several sources share by alias."}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "schedules.yaml",
        **whole,
        "$defs": parts,
    }
