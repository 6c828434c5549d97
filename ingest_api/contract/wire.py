"""Bytes to contract and back: JSON or MessagePack, plain or gzip, never more than the bounds allow."""

import hashlib
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from ingest_api.contract import lenient
from ingest_api.contract.batch import MAX_ENTRIES, MAX_KEYS, Batch, Dead, Id, Parser, Rejected, SourceName, Submission
from ingest_api.contract.entry import MAX_KEY, Checks, Entry, is_clean, plain
from ingest_api.contract.errors import EntryError, NotABatch, TooLarge, UnsupportedMedia
from ingest_api.contract.moment import Dated, Instant

JSON = "application/json"
MSGPACK = lenient.MSGPACK
MAX_BODY = 32 * 1024 * 1024  # bytes, after decompression
MAX_RAW = 1024 * 1024  # bytes of an entry as it came: more is not read, which would take seconds
DEAD_PAYLOAD = 16 * 1024  # characters kept of a rejected entry

T = TypeVar("T")

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_ENTRIES: dict[str, Callable[[Any], Entry]] = {
    JSON: msgspec.json.Decoder(Entry).decode,
    MSGPACK: msgspec.msgpack.Decoder(Entry).decode,
}


class _Envelope(Dated, kw_only=True):
    """A batch whose entries are not read yet: one bad entry must not sink the others."""

    source: SourceName
    run_id: Id
    batch_id: Id
    entries: list[msgspec.Raw]
    complete: bool = False
    keys: list[str] | None = None
    as_of: Instant | None = None
    parser: Parser = "1"


def encode(value: Any, media: str = JSON) -> bytes:
    """A contract value as bytes; Decimal as text, dates as ISO."""
    return msgspec.msgpack.encode(value) if media == MSGPACK else msgspec.json.encode(value)


def inflate(body: bytes, encoding: str | None) -> bytes:
    """The body without its Content-Encoding; TooLarge as soon as the bound is passed, so that a bomb stays small."""
    if encoding in (None, "", "identity"):
        if len(body) > MAX_BODY:
            raise TooLarge
        return body
    if encoding != "gzip":
        raise UnsupportedMedia(f"Content-Encoding {encoding!r} is not read here: use gzip or none")
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain_body = inflater.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise NotABatch(f"the body is not gzip: {error}") from error
    if len(plain_body) > MAX_BODY:
        raise TooLarge
    if not inflater.eof:
        raise NotABatch("the gzip body ends too early")
    return plain_body


def opened(content: bytes) -> tuple[bytes, str]:
    """The body and the form of bytes that nobody says the form of: they are told by how they begin."""
    body = inflate(content, "gzip" if content.startswith(b"\x1f\x8b") else None)
    return body, JSON if body.lstrip()[:1] in (b"{", b"[", b"") else MSGPACK


def open_submission(content: bytes, received_at: datetime) -> Submission:
    """The submission in such bytes."""
    body, media = opened(content)
    return decode_submission(body, media, received_at)


def decode(body: bytes, kind: type[T], media: str = JSON) -> T:
    """The body as a contract value; NotABatch says which field is wrong."""
    return _decoder(media)(body, kind)


def decode_with_list(body: bytes, kind: type[T], field: str, media: str) -> T:
    """The same of a struct whose list `field` holds msgspec.Raw: an item that cannot be read does not sink the others,
    it stays as it came."""
    try:
        return decode(body, kind, media)
    except NotABatch:
        parts = lenient.cut(body, field, media)
        if parts is None:
            raise
    rest, items = parts
    value = decode(rest, kind, media)
    setattr(value, field, items)
    return value


def decode_submission(body: bytes, media: str = JSON, received_at: datetime | None = None) -> Submission:
    """A batch as it came (decompressed) to a submission: every entry is checked on its own, the bad ones set aside."""
    received_at = received_at or datetime.now(UTC)
    envelope = decode_with_list(body, _Envelope, "entries", media)
    if len(envelope.entries) > MAX_ENTRIES:
        raise TooLarge(f"{len(envelope.entries)} entries in one batch, at most {MAX_ENTRIES} are taken: send several")
    if envelope.keys is not None and len(envelope.keys) > MAX_KEYS:
        raise TooLarge(f"{len(envelope.keys)} keys in one batch, at most {MAX_KEYS} are taken")
    entries: list[Entry] = []
    dead: list[Dead] = []
    json = media != MSGPACK
    checks = Checks(received_at, clean=json and is_clean(body))
    read = _ENTRIES[media]
    for index, raw in enumerate(envelope.entries):
        size = len(memoryview(raw))
        try:
            if size > MAX_RAW:
                raise EntryError(f"the entry is {size} bytes as it came, at most {MAX_RAW} are read")
            entries.append(checks.entry(read(raw), size if json else None))
        except EntryError as error:
            dead.append(dead_of(index, raw, media, error.message))
        except _UNREADABLE as error:
            dead.append(dead_of(index, raw, media, lenient.reason(bytes(raw), media, _no_batch(error))))
    batch = Batch(
        source=envelope.source,
        run_id=envelope.run_id,
        batch_id=envelope.batch_id,
        entries=entries,
        complete=envelope.complete,
        keys=None if envelope.keys is None else [checks.text(key).strip() for key in envelope.keys],
        as_of=envelope.as_of,
        parser=plain(envelope.parser),
    )
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    return Submission(batch=batch, dead=dead, digest=digest, received_at=received_at)


def _decoder(media: str) -> Callable[[bytes, type[T]], T]:
    reader: Any = msgspec.msgpack.decode if media == MSGPACK else msgspec.json.decode

    def read(body: bytes, kind: type[T]) -> T:
        try:
            value: T = reader(body, type=kind)
        except _UNREADABLE as error:
            raise _no_batch(error) from error
        return value

    return read


def _no_batch(error: Exception) -> NotABatch:
    refusal = NotABatch(f"not as the contract asks: {error}")
    refusal.__cause__ = error
    return refusal


def dead_of(index: int, raw: bytes, media: str, reason: str) -> Dead:
    """The rejected entry, kept readable whatever it was; of one that is too large to be read, its beginning as it
    came."""
    text, key = _told(bytes(raw), media)
    return Dead(
        rejected=Rejected(index=index, error=plain(reason), key=None if key is None else plain(key)[:MAX_KEY]),
        payload=plain(text)[:DEAD_PAYLOAD],
    )


def _told(raw: bytes, media: str) -> tuple[str, str | None]:
    """Such an entry as text, and its key."""
    if len(raw) <= MAX_RAW:
        with suppress(NotABatch, ValueError, TypeError):
            value: Any = _decoder(media)(raw, object)
            key = value.get("key") if isinstance(value, dict) else None
            return msgspec.json.encode(value).decode(), key if isinstance(key, str) else None
    return raw[: 4 * DEAD_PAYLOAD].decode("utf-8", "replace"), lenient.key_of(raw, media)
