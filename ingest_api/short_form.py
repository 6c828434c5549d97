"""The short form for scripts: `{"source": "prices", "data": [{...}, ...]}`."""

import hashlib
from typing import Annotated, Any

import msgspec

from ingest_api.contract import wire
from ingest_api.contract.batch import Id, SourceName


class ShortForm(msgspec.Struct, kw_only=True):
    """Records of a source, nothing else needed.

    A record with `key` and `data` is an entry. Any other is the data of one: its key is its field `key` or `id`, or
    else a digest of it. `batch_id` makes a resend harmless; without it each request is another batch.
    """

    source: SourceName
    data: Annotated[list[Any], msgspec.Meta(max_length=10_000)]
    batch_id: Id | None = None
    complete: bool = False


def as_batch(form: ShortForm, request_id: str) -> bytes:
    """The form as the bytes of a batch; `request_id` names its run, and the batch when the form does not."""
    return wire.encode(
        {
            "source": form.source,
            "run_id": request_id,
            "batch_id": form.batch_id or request_id,
            "complete": form.complete,
            "entries": [_entry(record) for record in form.data],
        }
    )


def _entry(record: Any) -> Any:
    if not isinstance(record, dict) or isinstance(record.get("data"), dict):
        return record
    name = next((record[field] for field in ("key", "id") if isinstance(record.get(field), str | int)), None)
    if name is None:
        name = hashlib.blake2b(msgspec.json.encode(record, order="deterministic"), digest_size=12).hexdigest()
    return {"key": str(name), "data": {field: value for field, value in record.items() if field != "key"}}
