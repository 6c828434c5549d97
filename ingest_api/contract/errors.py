"""What can be wrong with something sent to a door. A class's docstring is its default message."""

import math


class ContractError(Exception):
    """The request breaks the contract."""

    code = "invalid"
    status = 400

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or " ".join((self.__doc__ or "").split()))  # a docstring may take several lines

    @property
    def message(self) -> str:
        return str(self.args[0])


class NotABatch(ContractError):
    """The body is not a batch: send an object with source, run_id, batch_id and entries."""

    code = "not_a_batch"


class TooLarge(ContractError):
    """The body is too large: send the entries in several batches of one run."""

    code = "too_large"
    status = 413


class UnsupportedMedia(ContractError):
    """Send application/json or application/msgpack, plain or with Content-Encoding: gzip."""

    code = "unsupported_media"
    status = 415


class BatchConflict(ContractError):
    """This batch_id was used before with another content: a new content needs a new batch_id."""

    code = "batch_conflict"
    status = 409


class EntryError(ContractError):
    """The entry breaks the contract; the rest of its batch is not affected."""

    code = "bad_entry"


class Unavailable(ContractError):
    """The store is away: nothing was accepted, send the same again."""

    code = "unavailable"
    status = 503
    retry_after = 2


class NotFound(ContractError):
    """There is no such thing here."""

    code = "not_found"
    status = 404


class Unauthenticated(ContractError):
    """Who are you? Send a token as `Authorization: Bearer …`, or sign in; `python -m realtime.token` makes one."""

    code = "unauthenticated"
    status = 401


class Expired(Unauthenticated):
    """Your access has ended: sign in again, or send a newer token."""

    code = "expired"


class Forbidden(ContractError):
    """Your token does not allow this: ask for one that does."""

    code = "forbidden"
    status = 403


class SlowDown(ContractError):
    """Too much at once: wait, then go on."""

    code = "slow_down"
    status = 429

    def __init__(self, message: str | None = None, *, retry_after: float = 1) -> None:
        """`retry_after` is the number of seconds to wait."""
        super().__init__(message)
        self.retry_after = retry_after

    @classmethod
    def of(cls, wait: float) -> "SlowDown":
        """For whoever has to wait so many seconds; what is said is never too little."""
        return cls(f"too much at once: wait {math.ceil(wait * 10) / 10:g} s", retry_after=math.ceil(wait * 1000) / 1000)


class Buried(ContractError):
    """The batch can never be stored and was kept as a dead letter."""

    code = "dead_letter"
    status = 410
