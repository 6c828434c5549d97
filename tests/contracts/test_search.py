"""Looking for a text in keys and values, on both databases."""

from collections.abc import Iterator

import pytest

from realtime.store import look
from tests.contracts.test_commit import Bench

ENTRIES = {
    "A-1": {"name": "Straße nach MÜNCHEN", "nested": {"price": "512.40", "tags": ["Rot", {"deep": "grün"}]}},
    "B-2": {"title": 'a "quoted" word', "price": 77, "share": 0.25, "open": True, "path": "C:\\temp"},
    "Ö-3": {"name": "100%", "note": None, "lines": "one\ntwo"},
}


@pytest.fixture
def bench(database_url: str) -> Iterator[Bench]:
    bench = Bench(database_url)
    yield bench
    bench.engine.dispose()


def found(bench: Bench, text: str) -> str:
    """The first letters of the keys."""
    asked = {"source": "vendor_x", "topic": None, "key": None, "after": None, "limit": 10}
    view = bench.write(lambda connection: look.entry_list(connection, text=text, **asked))
    return "".join(sorted(entry.key[0] for entry in view.entries))


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("münchen", "A"),
        ("STRASSE", ""),
        ("STRAßE", "A"),
        ("GRÜN", "A"),
        ("rot", "A"),
        ("512.4", "A"),
        ("77", "B"),
        ("0.25", "B"),
        ('"quoted"', "B"),
        ("c:\\TEMP", "B"),
        ("one\ntwo", "Ö"),
        ("ö-3", "Ö"),
        ("0%", "Ö"),
        ("1_0", ""),
        ("nested", ""),
        ("name", ""),
        ('"', "B"),
        ('q={"', ""),
        ("{", ""),
        (",", ""),
        ("null", ""),
        ("true", ""),
        ("\\", "B"),
    ],
)
def test_values_are_found_and_nothing_else(bench: Bench, text: str, keys: str) -> None:
    bench.send(*ENTRIES.items())
    assert found(bench, text) == keys
