"""A whole batch that can never be stored: what is kept of it, and under which name."""

import hashlib
import re
from typing import Any

import msgspec

from ingest_api.contract import wire
from ingest_api.contract.batch import Dead
from ingest_api.contract.errors import BatchConflict, ContractError, NotABatch

WHOLE = -1  # the index of a batch as a whole

_SOURCE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_ID = re.compile(r"[\x21-\x7e]{1,100}")


class Letter(msgspec.Struct, kw_only=True, frozen=True):
    """A dead letter of a batch. `source` and `run_id` are empty where nobody can tell; `batch_id` is then the
    content's digest, so that the same content makes one letter however often it comes."""

    source: str
    run_id: str
    batch_id: str
    dead: Dead


def letter(content: bytes, error: ContractError) -> Letter:
    """The letter of a batch, as it came, that failed with `error`."""
    try:
        body, media = wire.opened(content)
    except ContractError:
        body, media = content, wire.JSON
    named = _fields(body, media)
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    batch_id = _fitting(_ID, named.get("batch_id")) or digest
    if isinstance(error, BatchConflict):  # the name belongs to the other content
        batch_id = f"{batch_id[:67]}~{digest}"
    return Letter(
        source=_fitting(_SOURCE, named.get("source")),
        run_id=_fitting(_ID, named.get("run_id")),
        batch_id=batch_id,
        dead=wire.dead_of(WHOLE, body, media, error.message),
    )


def _fields(body: bytes, media: str) -> dict[Any, Any]:
    try:
        fields: dict[Any, Any] = wire.decode(body, dict, media)
    except NotABatch:
        return {}
    return fields


def _fitting(pattern: re.Pattern[str], value: Any) -> str:
    return value if isinstance(value, str) and pattern.fullmatch(value) else ""
