"""Each way in which a process hears of what another one stored, without the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.conftest import Server, eventually
from tests.pair import Pair
from tests.reader import Reader
from tests.redis_door import environment
from tests.sending import post


class Unswept(Server):
    """See tests.unswept."""

    module = "tests.unswept"


@contextmanager
def hearing(way: str, database: str, folder: Path, redis_url: str) -> Iterator[Pair]:
    """A pair on a database, connected by Redis."""
    shared = {
        **environment(redis_url),
        "PORTALWIRE_DATABASE_URL": database,
        "PORTALWIRE_TEST_HEARS": way,
    }
    pair = Pair(Unswept(folder, shared, "one"), Unswept(folder, shared, "other"))
    try:
        pair.start()
        for server in pair.both:
            eventually(lambda server=server: listens(server), what="Pub/Sub keeps nothing for who does not listen")
        yield pair
    finally:
        for server in pair.both:
            server.stop()


def listens(server: Server) -> bool:
    return "portalwire_redis_connected 1.0" in requests.get(f"{server.url}/metrics", timeout=30).text


def test_a_hint_alone_brings_the_entries(database_url: str, tmp_path: Path, redis_url: str) -> None:
    with hearing("hints", database_url, tmp_path, redis_url) as pair:
        for server, source in zip(pair.both, ("to_one", "to_other"), strict=True):
            (elsewhere,) = set(pair.both) - {server}
            with Reader(server.url) as reader:
                reader.join(source, history=True)
                for step in range(5):
                    head = post(elsewhere.url, source, {f"k{n}": {"step": step} for n in range(3)})["offset"]
                reader.reach(source, head)
                assert [change["offset"] for change in reader.changes[source]] == list(range(1, 16))
                assert reader.violations == []


def test_a_tick_alone_brings_the_watermark(database_url: str, tmp_path: Path, redis_url: str) -> None:
    """Also of a run that saw that nothing has changed, which no hint tells; and never ahead of the entries."""
    with hearing("ticks", database_url, tmp_path, redis_url) as pair:
        for server, source in zip(pair.both, ("to_one", "to_other"), strict=True):
            (elsewhere,) = set(pair.both) - {server}
            with Reader(server.url) as reader:
                reader.join(source)
                for as_of in ("2026-11-22T07:00:00.000Z", "2026-11-22T07:01:00.000Z"):
                    post(elsewhere.url, source, {"k": {"n": 1}}, as_of=as_of, complete=True)
                    watermark = heard(reader, source, as_of)
                    assert watermark["upto"] == 1
                    assert list(reader.entries[source]) == ["k"]
                assert reader.violations == []


def heard(reader: Reader, source: str, as_of: str) -> dict[str, Any]:
    reader.wait(lambda: reader.watermarks.get(source, {}).get("as_of") == as_of, f"the watermark of {as_of}")
    return reader.watermarks[source]
