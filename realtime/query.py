"""What a request's query says, checked."""

from flask import request

from ingest_api.contract.errors import ContractError

DIGITS = 6  # of a number that anybody means


def limit(usual: int, most: int) -> int:
    """`?limit=`: rows, entries or whatever is counted. Raises ContractError."""
    asked = request.args.get("limit", str(usual))
    if not (asked.isascii() and asked.isdecimal()) or len(asked) > DIGITS or not 1 <= int(asked) <= most:
        raise ContractError(f"limit is a whole number from 1 to {most}")
    return int(asked)
