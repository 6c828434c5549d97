"""The numbers of entries, in order: the index behind top lists.

Only fields that somebody asked for are kept, so that nobody pays for those that nobody sorts by. A field is read in
piece by piece, while batches go on and already keep it; it is used once it is whole. So many of a source are kept; one
more takes the place of the one that nobody asked for longest.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ingest_api.contract.errors import ContractError
from realtime.store import bulk, write
from realtime.store.change import Change, Kind
from realtime.store.keys import keyed
from realtime.store.moments import iso
from realtime.store.numeric import approximate
from realtime.store.schema import entries, numbers, sources
from realtime.store.write import SourceRow

FIELDS = 16  # of one source
PIECE = 2000  # entries that are read in at a time
LOOKED = 1000  # entries that are looked at, at a time, for those that a filter holds for
WITHIN = 0.5  # seconds of looking; then what was found is the answer, and said to be partial
SAMPLE = 200  # entries that are looked at to see whether a field has numbers


Matches = Callable[[str, str | None, str], bool]
"""Whether an entry with this key, topic and data (JSON text) is asked for."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question: which entries of a source, or of one of its topics, come first by a field's numbers."""

    source: str
    topic: str | None
    by: str
    down: bool
    limit: int
    matches: Matches


class TopEntry(msgspec.Struct, kw_only=True):
    """An entry in its place; `value` is the number as its data has it, `kind` and `was` are of its newest change."""

    key: str
    topic: str | None
    value: str | int | float
    version: int
    kind: Kind
    data: dict[str, Any]
    was: dict[str, Any] | None
    url: str | None
    offset: int
    at: str


class TopList(msgspec.Struct, kw_only=True):
    """The answer, as of an offset of the source's log; `partial` when not all entries could be looked at."""

    offset: int
    items: list[TopEntry]
    partial: bool = False


class TooManyFields(ContractError):
    """So many fields of this source are asked for that this one was let go before it could be read: ask again."""

    code = "too_many_fields"


class Kept(NamedTuple):
    """A field that is kept, since when (milliseconds), and whether it is whole."""

    since: int
    whole: bool


_NEVER = (0, 0)  # of fields of earlier versions: kept since, last asked for
_Asked = dict[str, tuple[int, int]]


def ranked(source: SourceRow) -> dict[str, bool]:
    """The fields that are kept, and whether they are whole."""
    return _fields(source.ranked)


def keep(connection: sa.Connection, source: SourceRow, steps: Sequence[Change]) -> None:
    """Takes the numbers of new and changed entries; nothing where no field is ranked."""
    fields = ranked(source)
    if not fields or not steps:
        return
    put = []
    gone: dict[str, list[str]] = {}  # field -> keys
    for step in steps:
        data = msgspec.json.decode(step.data)
        for field in fields:
            value = approximate(data.get(field))
            if value is not None:
                put.append((source.name, field, step.key, value, step.topic))
            elif step.kind != "new" and field in msgspec.json.decode(step.was or "{}"):
                gone.setdefault(field, []).append(step.key)
    _put(connection, put)
    for field, keys in gone.items():
        mine = keyed(connection, numbers, source.name, keys) & (numbers.c.field == field)
        connection.execute(sa.delete(numbers).where(mine))


def drop(connection: sa.Connection, source: SourceRow, keys: Sequence[str]) -> None:
    """Lets the numbers of these entries go."""
    if keys and ranked(source):
        connection.execute(sa.delete(numbers).where(keyed(connection, numbers, source.name, keys)))


def is_whole(connection: sa.Connection, source: str, field: str) -> bool:
    """Whether top lists by this field can be read."""
    told = connection.execute(sa.select(sources.c.ranked).where(sources.c.name == source)).scalar()
    return _fields(told).get(field, False)


def has_numbers(connection: sa.Connection, source: str, field: str) -> bool:
    """Whether some of the newest entries of a source have a number in this field."""
    return field in _numeric(connection, source)


def first_numeric(connection: sa.Connection, source: str) -> str | None:
    """A field that has numbers: the first one of the newest entry that has one."""
    return next(iter(_numeric(connection, source)), None)


def find(connection: sa.Connection, source: str, field: str, after: str) -> tuple[bool, str | None]:
    """Whether a piece of the entries, those that have this field and whose keys follow `after`, has a number in it; and
    the key to go on from, or None at the end."""
    named = entries.c.data.contains(f"{msgspec.json.encode(field).decode()}:", autoescape=True)  # or what looks like it
    piece = connection.execute(
        sa.select(entries.c.key, entries.c.data)
        .where(entries.c.source == source, entries.c.key > after, entries.c.present, named)
        .order_by(entries.c.key)
        .limit(PIECE)
    ).all()
    found = any(approximate(msgspec.json.decode(row.data).get(field)) is not None for row in piece)
    return found, piece[-1].key if len(piece) == PIECE else None


def ask(connection: sa.Connection, source: str, field: str, at: int) -> Kept:
    """Notes that a field is asked for at `at` (milliseconds). One that was not kept is from the next batch on, in the
    place of the one that nobody asked for longest; what is there already is to be read in."""
    fields, asked = ranked(write.locked_source(connection, source)), _asked(connection, source)
    if field not in fields:
        while len(fields) >= FIELDS:
            _let_go(connection, source, min(fields, key=lambda name: asked.get(name, _NEVER)[1]), fields, asked)
        fields[field] = False
        asked[field] = (at, at)
    since, last = asked.get(field, _NEVER)
    asked[field] = (since, max(last, at))
    _tell(connection, source, fields, asked)
    return Kept(since, fields[field])


def read_in(connection: sa.Connection, source: str, field: str, after: str, since: int) -> str | None:
    """Takes the numbers of a piece of the entries, those whose keys follow `after`; returns the key to go on from, or
    None when the field is whole. Raises TooManyFields when it is not the one that is kept since `since`."""
    fields, asked = ranked(write.locked_source(connection, source)), _asked(connection, source)
    if field not in fields or asked.get(field, _NEVER)[0] != since:
        raise TooManyFields
    piece = connection.execute(
        sa.select(entries.c.key, entries.c.topic, entries.c.data, entries.c.present)
        .where(entries.c.source == source, entries.c.key > after)
        .order_by(entries.c.key)
        .limit(PIECE)
    ).all()
    found = ((each, approximate(msgspec.json.decode(each.data).get(field))) for each in piece if each.present)
    _put(
        connection,
        [(source, field, each.key, value, each.topic) for each, value in found if value is not None],
    )
    if len(piece) == PIECE:
        key: str = piece[-1].key
        return key
    _tell(connection, source, {**fields, field: True}, asked)
    return None


def top(connection: sa.Connection, asked: Asked, within: float = WITHIN) -> TopList:
    """The entries with the highest numbers in a field, or the lowest: as many as were asked for, or all there are.

    A filter may hold for the last entry alone: they are looked at in order, for `within` seconds. Raises TooManyFields
    where the field is not whole.
    """
    row = connection.execute(sa.select(sources.c.head, sources.c.ranked).where(sources.c.name == asked.source)).first()
    if row is None or not _fields(row.ranked).get(asked.by):
        raise TooManyFields
    end = time.monotonic() + within
    found: list[TopEntry] = []
    last: tuple[float, str] | None = None
    size = asked.limit  # without a filter there is no more to do
    while True:
        rows = connection.execute(_piece(asked, last, size)).all()
        found += [_entry(asked, row) for row in rows if asked.matches(row.key, row.topic, row.data)]
        whole = len(found) >= asked.limit or len(rows) < size
        if whole or time.monotonic() >= end:
            return TopList(offset=row.head, items=found[: asked.limit], partial=not whole)
        last, size = (rows[-1].number, rows[-1].key), LOOKED


def _piece(asked: Asked, last: tuple[float, str] | None, size: int) -> sa.Select[Any]:
    """So many entries, in order, beyond the `last` one."""
    shown = ("key", "topic", "version", "kind", "data", "was", "url", "offset", "at")
    columns = [entries.c[name] for name in shown]
    place = (numbers.c.value, numbers.c.key)
    query = (
        sa.select(*columns, numbers.c.value.label("number"))
        .join(entries, (entries.c.source == numbers.c.source) & (entries.c.key == numbers.c.key))
        .where(numbers.c.source == asked.source, numbers.c.field == asked.by)
        .order_by(*(column.desc() if asked.down else column for column in place))
        .limit(size)
    )
    if asked.topic is not None:
        query = query.where(numbers.c.topic == asked.topic)
    if last is None:
        return query
    beyond = sa.tuple_(*place) < sa.tuple_(*last) if asked.down else sa.tuple_(*place) > sa.tuple_(*last)
    return query.where(beyond)


def _entry(asked: Asked, row: Any) -> TopEntry:
    data = msgspec.json.decode(row.data)
    return TopEntry(
        key=row.key,
        topic=row.topic,
        value=data[asked.by],
        version=row.version,
        kind=row.kind,
        data=data,
        was=msgspec.json.decode(row.was) if row.was else None,
        url=row.url,
        offset=row.offset,
        at=iso(row.at),
    )


def _numeric(connection: sa.Connection, source: str) -> dict[str, None]:
    newest = connection.execute(
        sa.select(entries.c.data)
        .where(entries.c.source == source, entries.c.present)
        .order_by(entries.c.offset.desc())
        .limit(SAMPLE)
    ).scalars()
    return {
        name: None
        for data in newest
        for name, value in msgspec.json.decode(data).items()
        if approximate(value) is not None
    }


def _fields(told: str | None) -> dict[str, bool]:
    return msgspec.json.decode(told, type=dict[str, bool]) if told else {}


def _asked(connection: sa.Connection, source: str) -> _Asked:
    told = connection.execute(sa.select(sources.c.asked).where(sources.c.name == source)).scalar()
    return msgspec.json.decode(told, type=_Asked) if told else {}


def _let_go(connection: sa.Connection, source: str, field: str, fields: dict[str, bool], asked: _Asked) -> None:
    del fields[field]
    asked.pop(field, None)
    connection.execute(sa.delete(numbers).where(numbers.c.source == source, numbers.c.field == field))


def _tell(connection: sa.Connection, source: str, fields: dict[str, bool], asked: _Asked) -> None:
    told = {"ranked": msgspec.json.encode(fields).decode(), "asked": msgspec.json.encode(asked).decode()}
    connection.execute(sa.update(sources).where(sources.c.name == source).values(told))


def _put(connection: sa.Connection, rows: list[tuple[str, str, str, float, str | None]]) -> None:
    columns = ("source", "field", "key", "value", "topic")
    bulk.insert(connection, numbers, columns, rows, renew=("value", "topic"))
