"""Many who ask the same at once are one reading, which began after each of them asked."""

import gevent
import pytest

from ingest_api.contract.errors import Unavailable
from realtime.together import Together


def test_many_share_a_reading_that_began_after_they_asked() -> None:
    together, written, begun = Together(), 0, 0

    def reading() -> int:
        nonlocal begun
        begun += 1
        found = written
        gevent.sleep(0.01)
        return found

    def ask() -> None:
        mine = written
        assert together.read("room", reading) >= mine

    asking = []
    for _ in range(200):
        written += 1
        asking.append(gevent.spawn(ask))
        if written % 20 == 0:
            gevent.sleep(0.001)
    gevent.joinall(asking, raise_error=True)
    assert begun < 20
    assert together.read("room", reading) == 200


def test_who_shares_a_failed_reading_fails_and_the_next_does_not() -> None:
    together = Together()

    def away() -> None:
        gevent.sleep(0.01)
        raise Unavailable

    asking = [gevent.spawn(together.read, "room", away) for _ in range(5)]
    gevent.joinall(asking)
    assert [type(each.exception) for each in asking] == [Unavailable] * 5
    with pytest.raises(Unavailable):
        together.read("room", away)
    assert together.read("room", lambda: "there") == "there"
