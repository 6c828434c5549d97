"""What keeps the server from starting or going on. A class's docstring is its default message."""


class RealtimeError(Exception):
    """The server cannot go on."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))


class BadSettings(RealtimeError):
    """A setting is wrong: see the PORTALWIRE_ variables in the README."""


class Undescribed(RealtimeError):
    """An operation of the API has no description: say what it takes and answers (BODIES, ANSWERS)."""


class StoreBroken(RealtimeError):
    """The database is not one that this server can use."""


class StoreAway(StoreBroken):
    """The database does not answer: nothing is accepted until it does."""
