"""The room `*` as each may enter it: the watermarks of the sources that one's token covers."""

from ingest_api.auth import Grant
from realtime.rooms import EVERY_SOURCE, Room


class Overview(Room, frozen=True):
    """The room `*` for those who may join what `join` covers, which is not everything. Equal grants share one."""

    join: tuple[str, ...] = ()


def overview(grant: Grant) -> Room:
    """The room `*` as it is for this grant."""
    if grant.joins_all:
        return EVERY_SOURCE
    join = tuple(sorted(set(grant.join)))
    return Overview(f"{EVERY_SOURCE.name} of {','.join(join)}", EVERY_SOURCE.source, join=join)


def is_overview(room: Room) -> bool:
    return room.source == EVERY_SOURCE.source


def hears(room: Room, source: str) -> bool:
    """Whether the watermark of a source is told in an overview."""
    return not isinstance(room, Overview) or Grant(join=room.join).may_join(source)
