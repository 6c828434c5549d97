"""Moments on the wire: each with its offset from UTC, and of years that every clock, database and chart can hold."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset from UTC, RFC 3339 on the wire; the values that hold one are `Dated`."""


class Dated(msgspec.Struct):
    """A value of the contract that says when. Raises ValueError for a moment before 1970 or after 2199: such a one
    cannot even be put into UTC where it is at the end of what a date can be."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            check(name, getattr(self, name))


def check(name: str, value: object) -> None:
    """Raises ValueError for a value called `name` that is a moment of another age."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        bounded(name, value)


def bounded(name: str, moment: datetime) -> datetime:
    """The moment called `name`, which has an offset from UTC; ValueError says what is wrong with it."""
    if not EARLIEST <= moment < LATEST:
        raise ValueError(f"{name} is {moment.isoformat()}: send a moment of the years 1970 to 2199")
    return moment
