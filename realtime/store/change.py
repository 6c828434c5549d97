"""A change: one step of one entry, at an offset of its source's log."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, Protocol

import msgspec

from realtime.where import Subject, fields_of

Kind = Literal["new", "changed", "corrected", "removed"]

STATE_ONLY = ("newest", "data_before")  # what a row of the log does not say: see Change


class Change(msgspec.Struct, frozen=True, dict=True):
    """A row of the log. `data` and `was` are JSON text, `at` is milliseconds.

    `topic_before` is the topic the entry had until this change, so that a room with a topic knows whether it had the
    entry; of a `removed` entry `data` is what it last was. `newest` and `data_before` are set on a state that several
    changes may have led to: the kind of the last of them, while `kind` tells it from where the room stood, and the
    data that the entry had there.
    """

    offset: int
    kind: Kind
    key: str
    version: int
    topic: str | None
    topic_before: str | None
    data: str
    was: str | None
    url: str | None
    at: int
    newest: Kind | None = None
    data_before: str | None = None

    @cached_property
    def after(self) -> Subject:
        """The entry since this change, for filters; decoded once for all of them."""
        return Subject(self.key, self.topic, fields_of(self.data))

    @cached_property
    def before(self) -> Subject:
        """The entry until this change, for filters; of a new one there is none."""
        return Subject(self.key, self.topic_before, fields_of(self.data_until))

    @property
    def data_until(self) -> str:
        """The data until this change, as JSON text. A field that was not there may be null."""
        if self.data_before is not None:
            return self.data_before
        if not self.was:
            return self.data
        return msgspec.json.encode({**_raw(self.data), **_raw(self.was)}).decode()

    @cached_property
    def delta(self) -> tuple[msgspec.Raw, list[str]] | None:
        """What the change altered: the new values of those fields as JSON text, and the names of those that are gone.
        None where it does not build on a previous version."""
        if self.was is None:
            return None
        now = _raw(self.data)
        was = _raw(self.was)
        altered = {name: now[name] for name in was if name in now}
        return msgspec.Raw(msgspec.json.encode(altered)), [name for name in was if name not in now]


def _raw(text: str) -> dict[str, Any]:
    """The fields of JSON text with their values as they are written."""
    fields: dict[str, Any] = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    return fields


PIECE = 256 * 1024  # characters of data that are kept, read or sent at a time; one change may be larger


class Stretch(msgspec.Struct, frozen=True):
    """A part of a source's log: every change with `after` < offset ≤ `upto`, in order; `run_ids` are those of the
    runs that made it, where its teller knows."""

    source: str
    after: int
    upto: int
    changes: Sequence[Change]
    run_ids: Sequence[str] = ()

    def pieces(self) -> Iterator["Stretch"]:
        """The same as stretches of bounded size, which continue each other."""
        after, rest = self.after, self.changes
        while len(rest) > (fit := fitting(rest)):
            upto = rest[fit - 1].offset
            yield msgspec.structs.replace(self, after=after, upto=upto, changes=rest[:fit])
            after, rest = upto, rest[fit:]
        yield msgspec.structs.replace(self, after=after, changes=rest)


class _Sized(Protocol):
    """What has data, and old values of it, as JSON text."""

    @property
    def data(self) -> str: ...

    @property
    def was(self) -> str | None: ...


def size_of(change: _Sized) -> int:
    """Characters of data that come with a change."""
    return len(change.data) + len(change.was or "")


def fitting(changes: Iterable[_Sized]) -> int:
    """How many of these, from the first, make a piece: one at least, where there is one."""
    size = count = 0
    for change in changes:
        size += size_of(change)
        if count and size > PIECE:
            break
        count += 1
    return count
