"""A change: one step of one entry, at an offset of its source's log."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Kind = Literal["new", "changed", "corrected", "removed"]


class Change(msgspec.Struct, frozen=True):
    """A row of the log. `data` and `was` are JSON text, `at` is milliseconds.

    `topic_before` is the topic the entry had until this change, so that a room with a topic knows whether it had the
    entry; of a `removed` entry `data` is what it last was. `newest` is set on a state that several
    changes led to: the kind of the last of them, while `kind` tells it from where the room stood.
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


class Stretch(msgspec.Struct, frozen=True):
    """A part of a source's log: every change with `after` < offset ≤ `upto`, in order."""

    source: str
    after: int
    upto: int
    changes: Sequence[Change]
