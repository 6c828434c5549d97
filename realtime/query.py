"""What a request's query says, checked: read here by the policy and by the view, so that both mean the same."""

from flask import request

from ingest_api.contract.errors import ContractError
from realtime.rooms import Room

DIGITS = 6  # of a number that anybody means


def limit(usual: int, most: int) -> int:
    """`?limit=`: rows, entries or whatever is counted. Raises ContractError."""
    asked = request.args.get("limit", str(usual))
    if not (asked.isascii() and asked.isdecimal()) or len(asked) > DIGITS or not 1 <= int(asked) <= most:
        raise ContractError(f"limit is a whole number from 1 to {most}")
    return int(asked)


def asked(name: str) -> str | None:
    """What the query says of this; nothing said is None."""
    return request.args.get(name) or None


def source() -> str:
    """`?source=`. Raises ContractError."""
    said = asked("source")
    if said is None:
        raise ContractError("say which source: ?source=NAME")
    return said


def room() -> Room:
    """The room that `?source=` and `?topic=` mean together. Raises ContractError, BadRoom or BadWhere."""
    topic = asked("topic")
    return Room.parse(f"{source()}/{topic}" if topic else source())
