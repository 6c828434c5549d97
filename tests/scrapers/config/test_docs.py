"""docs/schedules.md names every setting and its examples load; the committed schema is the model's."""

import json
import re
from pathlib import Path

import msgspec
import pytest

from scrapers.config import Aggregate, Expect, Field, Listing, Login, Removal, Schedules, Source, load
from scrapers.config.schema import json_schema
from tests.conftest import ROOT

DOC = (ROOT / "docs" / "schedules.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)
SECTIONS = [
    *((kind, "") for kind in (Schedules, Source, Listing, Field, Login)),
    (Expect, "expect."),
    (Removal, "removal."),
    (Aggregate, "aggregate."),
]


@pytest.mark.parametrize(("kind", "prefix"), SECTIONS)
def test_every_setting_has_a_row(kind: type[msgspec.Struct], prefix: str) -> None:
    explained_as_a_whole = {"name", "sources", "expect", "removal", "aggregate"}
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", DOC, re.MULTILINE))
    settings = {prefix + field.name for field in msgspec.structs.fields(kind)} - explained_as_a_whole
    assert settings <= rows


def test_every_row_is_a_setting() -> None:
    rows = set(re.findall(r"^\| `([a-z_.]+)` \|", DOC, re.MULTILINE))
    known = {prefix + field.name for kind, prefix in SECTIONS for field in msgspec.structs.fields(kind)}
    assert rows <= known


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_load(tmp_path: Path, example: str) -> None:
    path = tmp_path / "schedules.yaml"
    path.write_text(example)
    assert load(path, {}).sources


def test_the_committed_schema_is_current() -> None:
    committed = json.loads((ROOT / "docs" / "schedules.schema.json").read_text())
    assert committed == json_schema(), "run: python -m scrapers.schedule --schema > docs/schedules.schema.json"


def test_the_schema_takes_a_source_without_settings_as_the_loader_does(tmp_path: Path) -> None:
    (tmp_path / "schedules.yaml").write_text("sources:\n  vendor_x:\n")
    assert load(tmp_path / "schedules.yaml", {}).sources["vendor_x"]
    named = json_schema()["$defs"]["Schedules"]["properties"]["sources"]["additionalProperties"]
    assert {"type": "null"} in named["anyOf"]


def test_the_projects_own_schedules_load() -> None:
    assert load(ROOT / "schedules.yaml", {}).sources
