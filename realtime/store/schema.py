"""The tables. Times are whole milliseconds since 1970 UTC; `data`, `was`, `info`, `fault`, `receipt` and `missing` are
JSON as text, so that what was stored goes to the wire without being read."""

import sqlalchemy as sa

metadata = sa.MetaData()


def _word(length: int) -> sa.String:
    """Text that is compared byte by byte, whatever the database's language: in one order on both databases and in
    Python, quicker than by a language's rules, and in indexes that an update of those rules does not break."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


Millis = sa.BigInteger
# SQLite counts rows by itself only in a column it calls INTEGER
_Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

meta = sa.Table(
    "meta",
    metadata,
    sa.Column("name", _word(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

sources = sa.Table(
    "sources",
    metadata,
    sa.Column("name", _word(64), primary_key=True),
    sa.Column("info", sa.Text),  # the SourceInfo last announced
    sa.Column("head", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("floor", sa.BigInteger, nullable=False, server_default="0"),  # cursors below it need a snapshot
    sa.Column("present", sa.Integer, nullable=False, server_default="0"),
    sa.Column("as_of", Millis),  # complete as of
    sa.Column("snapshots", sa.Boolean, nullable=False, server_default=sa.false()),  # some batch was complete
    sa.Column("believed", sa.BigInteger),  # the head when a complete run was last believed
    sa.Column("believed_present", sa.Integer, nullable=False, server_default="0"),  # the present entries then
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # failed runs since the last complete one
    sa.Column("failing_since", Millis),
    sa.Column("fault", sa.Text),  # of the last failed run
    sa.Column("hold", sa.Integer),  # the pending hold
    sa.Column("last_run", _word(100)),  # the last finished one
    sa.Column("misses", sa.Integer, nullable=False, server_default="2"),
    sa.Column("hold_above", sa.Float, nullable=False, server_default="0.5"),
    sa.Column("aggregate", sa.Text),  # the Aggregate of its SourceInfo
    sa.Column("ranked", sa.Text),  # fields that `numbers` holds: {"price": true}, false while they are read in
    sa.Column("asked", sa.Text),  # of these: {"price": [kept since, last asked for]}
)

entries = sa.Table(
    "entries",
    metadata,
    sa.Column("source", _word(64), primary_key=True),
    sa.Column("key", _word(200), primary_key=True),
    sa.Column("offset", sa.BigInteger, nullable=False),  # of its newest change
    sa.Column("first_offset", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("present", sa.Boolean, nullable=False),
    sa.Column("misses", sa.Integer, nullable=False, server_default="0"),
    sa.Column("digest", sa.LargeBinary(16), nullable=False),
    sa.Column("kind", _word(10), nullable=False),  # of its newest change
    sa.Column("topic", _word(100)),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("was", sa.Text),  # old values of what the newest change altered
    sa.Column("url", _word(2048)),
    sa.Column("first_seen", Millis, nullable=False),
    sa.Column("at", Millis, nullable=False),  # when its newest change was observed
    sa.Column("parser", _word(100), nullable=False),
    sa.Index("entries_by_offset", "source", "offset", unique=True),
    sa.Index("entries_by_time", "at", "source", "offset"),
    sa.Index("entries_by_topic", "source", "topic", "offset"),
)

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("source", _word(64), primary_key=True),
    sa.Column("offset", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("key", _word(200), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", _word(10), nullable=False),  # new, changed, corrected, removed
    sa.Column("topic", _word(100)),
    sa.Column("topic_before", _word(100)),  # the topic it had until this change
    sa.Column("data", sa.Text, nullable=False),  # of a removed entry: what it last was
    sa.Column("was", sa.Text),
    sa.Column("url", _word(2048)),
    sa.Column("run_id", _word(100), nullable=False),
    sa.Column("at", Millis, nullable=False),
    sa.Index("changes_by_key", "source", "key", "offset", unique=True),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("source", _word(64), primary_key=True),
    sa.Column("batch_id", _word(100), primary_key=True),
    sa.Column("digest", _word(32), nullable=False),
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("at", Millis, nullable=False),
    sa.Index("batches_by_time", "source", "at"),
)

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", _Serial, primary_key=True, autoincrement=True),  # the order in which we heard of them
    sa.Column("id", _word(100), nullable=False),
    sa.Column("source", _word(64), nullable=False),
    sa.Column("state", _word(10), nullable=False),  # running, complete, partial, failed, held
    sa.Column("started", Millis, nullable=False),
    sa.Column("finished", Millis),
    sa.Column("pages", sa.Integer, nullable=False, server_default="0"),
    sa.Column("seen", sa.Integer, nullable=False, server_default="0"),
    *(
        sa.Column(count, sa.Integer, nullable=False, server_default="0")
        for count in ("new", "changed", "corrected", "removed", "unchanged", "late", "rejected")
    ),
    sa.Column("fault", sa.Text),
    sa.Index("runs_by_source", "source", "number"),
    sa.Index("runs_by_start", "started", "source", "rejected"),
    sa.Index("runs_by_id", "source", "id", unique=True),
)

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=True),
    sa.Column("source", _word(64), nullable=False),
    sa.Column("run_id", _word(100), nullable=False),
    sa.Column("batch_id", _word(100), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),  # in its batch
    sa.Column("key", _word(200)),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("at", Millis, nullable=False),
    sa.Index("dead_letters_by_source", "source", "id"),
    sa.Index("dead_letters_once", "source", "batch_id", "position", unique=True),
)

holds = sa.Table(
    "holds",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=True),
    sa.Column("source", _word(64), nullable=False),
    sa.Column("run_id", _word(100), nullable=False),
    sa.Column("at", Millis, nullable=False),
    sa.Column("as_of", Millis, nullable=False),
    sa.Column("present", sa.Integer, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
    sa.Column("hold_above", sa.Float, nullable=False),
    sa.Column("missing", sa.Text, nullable=False),  # the keys that would be removed
    sa.Column("decision", _word(10)),  # approved, discarded, superseded; none while it waits for a person
    sa.Column("decided", Millis),
    sa.Index("holds_by_source", "source", "id"),
    sa.Index("holds_pending", "decision", "id"),
)

numbers = sa.Table(
    "numbers",
    metadata,
    sa.Column("source", _word(64), primary_key=True),
    sa.Column("key", _word(200), primary_key=True),  # before the field: an entry that goes takes all its numbers
    sa.Column("field", _word(200), primary_key=True),
    sa.Column("value", sa.Double, nullable=False),
    sa.Column("topic", _word(100)),
    sa.Index("numbers_by_value", "source", "field", "value", "key"),
    sa.Index("numbers_by_topic", "source", "field", "topic", "value", "key"),
)

candles = sa.Table(
    "candles",
    metadata,
    sa.Column("source", _word(64), primary_key=True),  # vendor_ticks.candles
    sa.Column("key", _word(200), primary_key=True),  # of its entry
    sa.Column("symbol", _word(200), nullable=False),
    sa.Column("window", _word(10), nullable=False),
    sa.Column("start", Millis, nullable=False),
    sa.Column("ends", Millis, nullable=False),
    *(sa.Column(price, _word(80), nullable=False) for price in ("open", "high", "low", "close", "sum")),  # exact
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("volume", _word(80)),
    sa.Column("first_at", Millis, nullable=False),
    sa.Column("first_key", _word(200), nullable=False),  # of the tick that opened it
    sa.Column("last_at", Millis, nullable=False),
    sa.Column("last_key", _word(200), nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.Index("candles_by_start", "source", "window", "symbol", "start", unique=True),
    sa.Index("candles_due", "source", "closed", "ends"),
)

leases = sa.Table(
    "leases",
    metadata,
    sa.Column("name", _word(40), primary_key=True),
    sa.Column("holder", _word(32), nullable=False),  # empty: it let go
    sa.Column("term", sa.BigInteger, nullable=False),  # how often it was taken
    sa.Column("number", sa.BigInteger, nullable=False),  # beats in this term
    sa.Column("at", Millis, nullable=False),  # of the last beat
)

revoked = sa.Table(
    "revoked",
    metadata,
    sa.Column("jti", _word(100), primary_key=True),  # of a token that counts no more
    sa.Column("until", Millis, nullable=False),  # no token outlives it
    sa.Index("revoked_by_until", "until", "jti"),
)

notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", _Serial, primary_key=True, autoincrement=True),
    sa.Column("room", _word(200), nullable=False),
    sa.Column("username", _word(100), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", Millis, nullable=False),
    sa.Column("utterance", _word(32)),  # made where it was said; none in notes of earlier versions
    sa.Index("notes_by_room", "room", "id"),
    sa.Index("notes_once", "utterance", unique=True),
)

presence = sa.Table(
    "presence",
    metadata,
    sa.Column("room", _word(200), primary_key=True),
    sa.Column("sid", _word(64), primary_key=True),
    sa.Column("process", _word(32), nullable=False),
    sa.Column("username", _word(100), nullable=False),
    sa.Column("beat", Millis, nullable=False),  # when its process last said that it is there
    sa.Index("presence_by_process", "process", "beat"),
    sa.Index("presence_by_beat", "beat"),
    sa.Index("presence_by_name", "room", "username", "beat"),
    sa.Index("presence_by_sid", "sid"),
)

activity = sa.Table(
    "activity",
    metadata,
    sa.Column("source", _word(64), primary_key=True),
    sa.Column("minute", Millis, primary_key=True, autoincrement=False),
    sa.Column("kind", _word(10), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("activity_by_minute", "minute"),
)
