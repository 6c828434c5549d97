"""What a failed statement means for whoever asked: the database is away, or it can never take this."""

from typing import Any

import sqlalchemy as sa

from ingest_api.contract.errors import ContractError, Unavailable

# classes of SQLSTATE that are about what a statement holds: data, integrity, limits that it is beyond
_OF_THE_CONTENT = ("22", "23", "54")


class Unstorable(ContractError):
    """The database cannot take this: some value is too long or too large for it, or of a kind that it does not keep.
    Sent again it would fail again."""

    code = "unstorable"


def refusal(error: sa.exc.SQLAlchemyError) -> ContractError:
    """The answer to whoever asked; what the database said is for the log (`cause`)."""
    return Unstorable() if _is_of_the_content(error) else Unavailable()


def may_pass(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the same transaction may succeed when it is run again at once: two that insert one key at the same time
    are told of an integrity error that only one of them deserves."""
    return isinstance(error, sa.exc.IntegrityError) or not _is_of_the_content(error)


def cause(error: Exception) -> dict[str, str] | None:
    """What the database said, for the log; None where it said nothing."""
    said = error.__cause__
    if not isinstance(said, sa.exc.SQLAlchemyError):
        return None
    return {"kind": type(said).__name__, "error": str(getattr(said, "orig", said)).strip()[:500]}


def _is_of_the_content(error: sa.exc.SQLAlchemyError) -> bool:
    """A missing table or privilege is somebody's to mend, and then the same content is taken."""
    if isinstance(error, sa.exc.DBAPIError):
        state: Any = getattr(error.orig, "sqlstate", None)
        if state is not None:
            return str(state).startswith(_OF_THE_CONTENT)
        return isinstance(error, sa.exc.DataError | sa.exc.IntegrityError | sa.exc.ProgrammingError)
    return isinstance(error, sa.exc.StatementError)  # a value that its column's type could not even be given
