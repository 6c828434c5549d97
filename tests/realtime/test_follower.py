"""The rule, under every order of hints."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.follower import KEPT, Follower
from realtime.rooms import Room, folded
from realtime.store.change import Change, Kind, Stretch


def change(offset: int, kind: Kind = "changed", key: str = "a", **fields: str | None) -> Change:
    topics = {"topic": None, "topic_before": None, **fields}
    return Change(offset=offset, kind=kind, key=key, version=offset, data="{}", was=None, url=None, at=0, **topics)


def stretch(after: int, upto: int) -> Stretch:
    return Stretch("s", after, upto, [change(offset) for offset in range(after + 1, upto + 1)])


_offsets = st.tuples(st.integers(0, 30), st.integers(0, 8))
_hints = st.lists(_offsets.map(lambda pair: (pair[0], min(30, sum(pair)))), max_size=40)


@given(_hints)
def test_lost_doubled_and_disordered_hints_tell_each_offset_once_and_in_order(hints: list[tuple[int, int]]) -> None:
    follower = Follower("s", 0)
    told: list[int] = []
    for after, upto in hints:
        taken = follower.take(stretch(after, upto))
        if taken is None:
            assert after > follower.cursor
            taken = follower.take(stretch(follower.cursor, upto))  # the store fills the hole
        assert taken is not None
        told += [c.offset for c in taken.changes]
    assert told == list(range(1, follower.cursor + 1))


@given(st.integers(0, 3 * KEPT), st.integers(1, 2 * KEPT))
def test_memory_holds_the_newest_part_whole_or_says_that_it_does_not(head: int, step: int) -> None:
    follower = Follower("s", 0)
    for after in range(0, head, step):
        follower.take(stretch(after, min(after + step, head)))
    for cursor in {0, head // 2, max(0, head - KEPT), max(0, head - KEPT - 1), head}:
        kept = follower.since(cursor)
        if kept is not None:
            assert [c.offset for c in kept.changes] == list(range(cursor + 1, head + 1))
        else:
            assert head - cursor > KEPT
    assert follower.since(head + 1) is None


def test_folding_tells_each_entry_once_from_where_the_reader_stood() -> None:
    steps = [
        change(1, "changed", "a"),
        change(2, "new", "b"),
        change(3, "new", "c"),
        change(4, "removed", "c"),
        change(5, "removed", "a"),
        change(6, "changed", "b"),
        change(7, "removed", "d"),
        change(8, "new", "d"),
    ]
    assert [(c.offset, c.kind, c.key) for c in folded(steps)] == [
        (5, "removed", "a"),
        (6, "new", "b"),
        (8, "changed", "d"),
    ]


def test_a_topic_room_sees_what_enters_and_leaves_it() -> None:
    steel = Room.parse("s/steel")
    cases: list[tuple[Kind, str | None, str | None, Kind | None]] = [
        ("new", None, "steel", "new"),
        ("new", None, "copper", None),
        ("changed", "steel", "steel", "changed"),
        ("changed", "copper", "steel", "new"),
        ("changed", "steel", "copper", "removed"),
        ("changed", None, "steel", "new"),
        ("removed", "steel", "steel", "removed"),
        ("removed", "copper", "copper", None),
    ]
    for kind, before, after, expected in cases:
        assert steel.kind(change(1, kind, topic=after, topic_before=before)) == expected
