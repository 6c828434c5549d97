"""Opening the database: one engine that writes, one that only reads, and the schema brought up to date."""

import sqlite3
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from realtime.errors import BadSettings, StoreAway, StoreBroken
from realtime.store.postgres import open_postgresql

try:
    # Debian's SQLite is in the range of the WAL-reset bug (3.7.0 to 3.51.2); this wheel carries a newer one.
    from pysqlite3 import dbapi2 as sqlite
except ImportError:
    sqlite = sqlite3

for _kind in (type(None), bool, bytes):
    # The driver takes them as they are, but asks each value first how it is to be adapted, through attributes that it
    # lacks: a third of the time of a new entry's transaction.
    sqlite.register_adapter(_kind, lambda value: value)

_PRAGMAS = (
    "page_size=8192",  # of a file that is made now: fewer pages are split, logged and copied than of 4,096 bytes
    "journal_mode=WAL",
    "synchronous=FULL",
    "busy_timeout=10000",
    "mmap_size=268435456",
)
MIGRATIONS = Path(__file__).with_name("migrations")
_MIGRATING = 0x706F7274  # names the lock of who migrates


def open_engine(url: str, *, writes: bool) -> sa.Engine:
    """An engine without a pool: each of the store's threads keeps its own connection.

    A writer begins with the write lock, so that no transaction reads first and then finds it cannot write.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return open_postgresql(parsed, writes=writes)
    engine = sa.create_engine(
        parsed, poolclass=sa.NullPool, module=_sqlite_module(), connect_args={"check_same_thread": False}
    )

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the transactions are ours, not the driver's
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows the letters of ASCII only
        connection.create_function("lower", 1, lambda text: text and str(text).lower(), deterministic=True)
        # a batch of 500 among a million entries: 8 % faster than with the 2 MB that SQLite keeps unless told
        connection.execute("PRAGMA cache_size=-16000" if writes else "PRAGMA query_only=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def open_file(file: Path) -> sa.Engine:
    """A SQLite database that nobody uses, only to be read: nothing about it is changed."""
    return sa.create_engine(f"sqlite:///file:{quote(str(file))}?mode=ro&uri=true", module=_sqlite_module())


def migrate(engine: sa.Engine, version: str = "head") -> None:
    """Brings the schema to the newest version, in one transaction; processes that start together take turns.

    Raises StoreAway when the database cannot be opened, StoreBroken when it is another version's.
    """
    config = _config()
    try:
        connecting = engine.connect()
    except sa.exc.DatabaseError as error:  # also: the file holds something else
        where = engine.url.render_as_string(hide_password=True)
        raise StoreAway(f"the database {where} cannot be opened: {str(error.orig).strip()}") from error
    with connecting as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATING)))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, version)
        except CommandError as error:
            raise StoreBroken(f"the database was written by another version of Portalwire: {error}") from error


def version_of(engine: sa.Engine) -> str:
    """The version of a database's schema. Raises StoreBroken where there is none."""
    try:
        with engine.connect() as connection, connection.begin():
            version: str = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    except sa.exc.SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise StoreBroken(f"{where} is no database of Portalwire: {getattr(error, 'orig', None) or error}") from error
    return version


def newest_version() -> str:
    """The version that `migrate` brings a database to."""
    version = ScriptDirectory.from_config(_config()).get_current_head()
    assert version is not None, "there are migrations"
    return version


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _parsed(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise BadSettings(f"PORTALWIRE_DATABASE_URL is no database address: {error}") from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise BadSettings(f"PORTALWIRE_DATABASE_URL names {parsed.get_backend_name()}: use sqlite or postgresql")
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")  # what other programs call the same address
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise BadSettings("PORTALWIRE_DATABASE_URL must name a file: a database in memory loses what it accepted")
    return parsed


def _sqlite_module() -> ModuleType:
    module: ModuleType = sqlite
    return module
