"""A change: one step of one entry, at an offset of its source's log."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

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


class Stretch(msgspec.Struct, frozen=True):
    """A part of a source's log: every change with `after` < offset ≤ `upto`, in order; `run_id` is that of the batch
    that made it, when it is one batch's."""

    source: str
    after: int
    upto: int
    changes: Sequence[Change]
    run_id: str | None = None
