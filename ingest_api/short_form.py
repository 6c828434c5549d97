"""The short form for scripts: `{"source": "prices", "data": [{...}, ...]}`."""

import hashlib
from typing import Annotated, Any

import msgspec

from ingest_api.contract import wire
from ingest_api.contract.batch import Id, SourceName
from ingest_api.contract.errors import NotABatch


class ShortForm(msgspec.Struct, kw_only=True):
    """Records of a source, nothing else needed.

    A record with `key` and `data` is an entry. Any other is the data of one: its key is its field `key` or `id`, or
    else a digest of it. `batch_id` makes a resend harmless; without it each request is another batch.
    """

    source: SourceName
    data: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=10_000)]
    batch_id: Id | None = None
    complete: bool = False


def read(body: bytes, media: str) -> ShortForm:
    """The form with its records unread: one that cannot be read does not sink the others. Raises NotABatch."""
    return wire.decode_with_list(body, ShortForm, "data", media)


def as_batch(form: ShortForm, request_id: str, media: str) -> bytes:
    """The form as the bytes of a batch; `request_id` names its run, and the batch when the form does not."""
    return wire.encode(
        {
            "source": form.source,
            "run_id": request_id,
            "batch_id": form.batch_id or request_id,
            "complete": form.complete,
            "entries": [_entry(record, media) for record in form.data],
        },
        media,
    )


def _entry(raw: msgspec.Raw, media: str) -> Any:
    """A record as an entry; one that is none stays as it is, for the reader of the batch to say so."""
    try:
        record: Any = wire.decode(bytes(raw), object, media)
        named = _name(record) if isinstance(record, dict) and not isinstance(record.get("data"), dict) else None
    except (NotABatch, TypeError, ValueError):  # no JSON, or what JSON cannot carry
        return raw
    if named is None:
        return raw
    return {"key": named, "data": {field: value for field, value in record.items() if field != "key"}}


def _name(record: dict[Any, Any]) -> str:
    for field in ("key", "id"):
        if isinstance(record.get(field), str | int):
            return str(record[field])
    return hashlib.blake2b(msgspec.json.encode(record, order="deterministic"), digest_size=12).hexdigest()
