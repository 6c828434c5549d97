"""A batch: the entries a run delivers together; and the receipt that answers it."""

from typing import Annotated

import msgspec

from ingest_api.contract.entry import Entry
from ingest_api.contract.moment import Dated, Instant

MAX_ENTRIES = 10_000  # entries of one batch
MAX_KEYS = 500_000  # keys a complete batch may name

# A bare $ also matches before a newline at the end; \Z, which does not, is a Z to those who read the JSON Schema
END = r"$(?!\n)"
SourceName = Annotated[str, msgspec.Meta(pattern=rf"^[a-z0-9][a-z0-9_.-]{{0,63}}{END}")]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=rf"^[\x21-\x7e]+{END}")]
Parser = Annotated[str, msgspec.Meta(max_length=100)]
"""The version of a scraper's reading."""


class Batch(Dated, kw_only=True, omit_defaults=True):
    """What a scraper sends: entries of one run of one source.

    `complete` says that the run saw *every* entry the source has now, `keys` names all of them (absent: the keys of
    this very batch). `as_of` is when the run began to look (absent: the oldest `observed_at`): nothing that changed
    at the portal before it can be missing. `parser` is the version of the scraper's reading.
    """

    source: SourceName
    run_id: Id
    batch_id: Id
    entries: list[Entry]
    complete: bool = False
    keys: list[str] | None = None
    as_of: Instant | None = None
    parser: Parser = "1"


class Rejected(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An entry that was not stored, and why. It is kept as a dead letter."""

    index: int
    error: str
    key: str | None = None


class Receipt(msgspec.Struct, kw_only=True):
    """The answer to a batch, given only after the commit.

    Counts are of entries: `late` observations were older than what is stored and ignored; `corrected` ones are read
    better now while the portal did not change. `offset` is the source's head after the batch. `held` is the hold
    that a person must decide, when the batch would have removed too much.
    """

    new: int = 0
    changed: int = 0
    corrected: int = 0
    removed: int = 0
    unchanged: int = 0
    late: int = 0
    rejected: list[Rejected] = []
    offset: int = 0
    epoch: str = ""
    held: int | None = None


class Dead(msgspec.Struct, kw_only=True):
    """A rejected entry with its original bytes as JSON text, for the dead letters."""

    rejected: Rejected
    payload: str


class Submission(msgspec.Struct, kw_only=True):
    """A batch as a door hands it on: validated and cleaned, with what was rejected on the way.

    `digest` (hex) tells a resend of the same batch from another one under the same batch_id.
    """

    batch: Batch
    dead: list[Dead]
    digest: str
    received_at: Instant
