"""What a source's row says of how it is configured. A row may be older than the contract: what does not fit it any more
counts as not said, since nobody could mend a server that fails at each look at it."""

import msgspec

from ingest_api.contract import Aggregate, SourceInfo

_info = msgspec.json.Decoder(SourceInfo).decode
_aggregate = msgspec.json.Decoder(Aggregate).decode


def info_in(name: str, told: str | None) -> SourceInfo:
    """The configuration in JSON text, or the defaults. Never raises."""
    try:
        return _info(told) if told else SourceInfo(name=name)
    except msgspec.DecodeError:
        return SourceInfo(name=name)


def aggregate_in(told: str | None) -> Aggregate | None:
    """How entries become candles, or None where they do not. Never raises."""
    try:
        return _aggregate(told) if told else None
    except msgspec.DecodeError:
        return None
